-- What a fresh database holds, from its catalogs. Rewritten by: go test ./db -run Golden -update
table pgtape_core.account: id bigint not null
table pgtape_core.account: handle text not null
table pgtape_core.account: kind text not null default 'person'::text
table pgtape_core.account: balance numeric(30,6) not null default 0
table pgtape_core.account: created_at timestamp with time zone not null default clock_timestamp()
table pgtape_core.account: role text not null default 'trader'::text
type pgtape_core.account_state: handle text
type pgtape_core.account_state: balance numeric(30,6)
type pgtape_core.account_state: created_at timestamp with time zone
type pgtape_core.account_state: role text
view pgtape.accounts: handle text
view pgtape.accounts: kind text
view pgtape.accounts: balance numeric(30,6)
view pgtape.accounts: created_at timestamp with time zone
view pgtape.accounts: role text
view pgtape.activity: market text
view pgtape.activity: trades bigint
view pgtape.activity: volume numeric
view pgtape.audit: id bigint
view pgtape.audit: at timestamp with time zone
view pgtape.audit: actor text
view pgtape.audit: login text
view pgtape.audit: act text
view pgtape.audit: subject text
view pgtape.audit: detail jsonb
table pgtape_core.audit_entry: id bigint not null
table pgtape_core.audit_entry: at timestamp with time zone not null default clock_timestamp()
table pgtape_core.audit_entry: actor text not null
table pgtape_core.audit_entry: login text not null
table pgtape_core.audit_entry: act text not null
table pgtape_core.audit_entry: subject text not null
table pgtape_core.audit_entry: detail jsonb not null default '{}'::jsonb
table pgtape_core.book: market_id bigint not null
table pgtape_core.book: status text not null
table pgtape_core.book: version bigint not null
table pgtape_core.book: head bytea not null
table pgtape_core.book: outstanding numeric(30,6)[] not null
table pgtape_core.book: prices numeric(13,12)[] not null
table pgtape_core.book: volume numeric(30,6) not null default 0
table pgtape_core.book: trades bigint not null default 0
table pgtape_core.book: proposal numeric(7,6)[]
table pgtape_core.book: payout numeric(7,6)[]
table pgtape_core.book: updated_at timestamp with time zone not null
view pgtape.categories: category text
table pgtape_core.doorbell: singleton boolean not null default true
table pgtape_core.doorbell: ringing_until timestamp with time zone not null default '-infinity'::timestamp with time zone
table pgtape_core.function_bundle: singleton boolean not null default true
table pgtape_core.function_bundle: digest text not null default ''::text
table pgtape_core.function_bundle: applied_at timestamp with time zone not null default clock_timestamp()
view pgtape.heads: slug text
view pgtape.heads: version bigint
view pgtape.heads: head bytea
table pgtape_core.house_tape: singleton boolean not null default true
table pgtape_core.house_tape: version bigint not null default 0
table pgtape_core.house_tape: head bytea not null default decode(repeat('00'::text, 32), 'hex'::text)
view pgtape.leaderboard: account text
view pgtape.leaderboard: balance numeric(30,6)
view pgtape.leaderboard: positions_value numeric
view pgtape.leaderboard: profit numeric
view pgtape.ledger: transaction_id bigint
view pgtape.ledger: account text
view pgtape.ledger: amount numeric(30,6)
view pgtape.ledger: kind text
view pgtape.ledger: market text
view pgtape.ledger: seq bigint
view pgtape.ledger: at timestamp with time zone
table pgtape_core.ledger_entry: transaction_id bigint not null
table pgtape_core.ledger_entry: account_id bigint not null
table pgtape_core.ledger_entry: amount numeric(30,6) not null
table pgtape_core.ledger_entry: kind text not null
table pgtape_core.ledger_entry: market_id bigint
table pgtape_core.ledger_entry: seq bigint
table pgtape_core.ledger_entry: at timestamp with time zone not null
table pgtape_core.login: role_name text not null
table pgtape_core.login: account_id bigint not null
table pgtape_core.market: id bigint not null
table pgtape_core.market: slug text not null
table pgtape_core.market: question text not null
table pgtape_core.market: description text not null
table pgtape_core.market: category text not null
table pgtape_core.market: outcomes text[] not null
table pgtape_core.market: liquidity numeric(30,6) not null
table pgtape_core.market: subsidy numeric(30,6) not null
table pgtape_core.market: closes_at timestamp with time zone
table pgtape_core.market: void_payout numeric(7,6)[] not null
table pgtape_core.market: account_id bigint not null
table pgtape_core.market: funder_id bigint not null
table pgtape_core.market: created_at timestamp with time zone not null
type pgtape_core.market_state: slug text
type pgtape_core.market_state: question text
type pgtape_core.market_state: description text
type pgtape_core.market_state: category text
type pgtape_core.market_state: status text
type pgtape_core.market_state: outcomes text[]
type pgtape_core.market_state: prices numeric(13,12)[]
type pgtape_core.market_state: outstanding numeric(30,6)[]
type pgtape_core.market_state: liquidity numeric(30,6)
type pgtape_core.market_state: subsidy numeric(30,6)
type pgtape_core.market_state: volume numeric(30,6)
type pgtape_core.market_state: trades bigint
type pgtape_core.market_state: traders bigint
type pgtape_core.market_state: version bigint
type pgtape_core.market_state: cursor text
type pgtape_core.market_state: created_at timestamp with time zone
type pgtape_core.market_state: created_by text
type pgtape_core.market_state: closes_at timestamp with time zone
type pgtape_core.market_state: updated_at timestamp with time zone
type pgtape_core.market_state: void_payout numeric(7,6)[]
type pgtape_core.market_state: proposal numeric(7,6)[]
type pgtape_core.market_state: payout numeric(7,6)[]
view pgtape.markets: slug text
view pgtape.markets: question text
view pgtape.markets: description text
view pgtape.markets: category text
view pgtape.markets: status text
view pgtape.markets: outcomes text[]
view pgtape.markets: prices numeric(13,12)[]
view pgtape.markets: outstanding numeric(30,6)[]
view pgtape.markets: liquidity numeric(30,6)
view pgtape.markets: subsidy numeric(30,6)
view pgtape.markets: volume numeric(30,6)
view pgtape.markets: trades bigint
view pgtape.markets: traders bigint
view pgtape.markets: version bigint
view pgtape.markets: cursor text
view pgtape.markets: created_at timestamp with time zone
view pgtape.markets: created_by text
view pgtape.markets: closes_at timestamp with time zone
view pgtape.markets: updated_at timestamp with time zone
view pgtape.markets: void_payout numeric(7,6)[]
view pgtape.markets: proposal numeric(7,6)[]
view pgtape.markets: payout numeric(7,6)[]
view pgtape.my_account: handle text
view pgtape.my_account: balance numeric(30,6)
view pgtape.my_account: created_at timestamp with time zone
view pgtape.my_ledger: transaction_id bigint
view pgtape.my_ledger: amount numeric(30,6)
view pgtape.my_ledger: kind text
view pgtape.my_ledger: market text
view pgtape.my_ledger: seq bigint
view pgtape.my_ledger: at timestamp with time zone
view pgtape.my_positions: market text
view pgtape.my_positions: question text
view pgtape.my_positions: status text
view pgtape.my_positions: outcome text
view pgtape.my_positions: shares numeric(30,6)
view pgtape.my_positions: cost numeric(30,6)
view pgtape.my_positions: price numeric(13,12)
view pgtape.my_positions: value numeric(30,6)
type pgtape_core.order_request: market text
type pgtape_core.order_request: outcome text
type pgtape_core.order_request: side text
type pgtape_core.order_request: shares numeric
type pgtape_core.order_request: spend numeric
type pgtape_core.order_request: expected_price numeric
type pgtape_core.order_request: expected_version bigint
type pgtape_core.order_request: max_slippage_bps integer
type pgtape_core.order_request: max_cost numeric
type pgtape_core.order_request: min_proceeds numeric
type pgtape_core.order_request: deadline timestamp with time zone
type pgtape_core.order_request: idempotency_key text
type pgtape_core.order_request: account text
table pgtape_core."position": account_id bigint not null
table pgtape_core."position": market_id bigint not null
table pgtape_core."position": outcome smallint not null
table pgtape_core."position": shares numeric(30,6) not null
view pgtape.positions: account text
view pgtape.positions: market text
view pgtape.positions: question text
view pgtape.positions: status text
view pgtape.positions: outcome text
view pgtape.positions: shares numeric(30,6)
view pgtape.positions: cost numeric(30,6)
view pgtape.positions: price numeric(13,12)
view pgtape.positions: value numeric(30,6)
type pgtape_core.quote: market text
type pgtape_core.quote: version bigint
type pgtape_core.quote: outcome text
type pgtape_core.quote: side text
type pgtape_core.quote: shares numeric(30,6)
type pgtape_core.quote: amount numeric(30,6)
type pgtape_core.quote: avg_price numeric(13,12)
type pgtape_core.quote: price_before numeric(13,12)
type pgtape_core.quote: price_after numeric(13,12)
type pgtape_core.receipt: market text
type pgtape_core.receipt: version bigint
type pgtape_core.receipt: outcome text
type pgtape_core.receipt: side text
type pgtape_core.receipt: shares numeric(30,6)
type pgtape_core.receipt: amount numeric(30,6)
type pgtape_core.receipt: avg_price numeric(13,12)
type pgtape_core.receipt: price_before numeric(13,12)
type pgtape_core.receipt: price_after numeric(13,12)
type pgtape_core.receipt: trade_id bigint
type pgtape_core.receipt: account text
type pgtape_core.receipt: balance numeric(30,6)
type pgtape_core.receipt: "position" numeric(30,6)
type pgtape_core.receipt: at timestamp with time zone
type pgtape_core.receipt: replayed boolean
type pgtape_core.refusal: code text
type pgtape_core.refusal: message text
type pgtape_core.refusal: hint text
type pgtape_core.refusal: detail jsonb
view pgtape.schema_digest: digest text
view pgtape.schema_digest: applied_at timestamp with time zone
table pgtape_core.session: token_hash bytea not null
table pgtape_core.session: account_id bigint not null
table pgtape_core.session: created_at timestamp with time zone not null default clock_timestamp()
table pgtape_core.session: expires_at timestamp with time zone not null
table pgtape_core.setting: name text not null
table pgtape_core.setting: value text not null
table pgtape_core.tape: market text not null
view pgtape.tape: market text
table pgtape_core.tape: seq bigint not null
view pgtape.tape: seq bigint
table pgtape_core.tape: at timestamp with time zone not null
view pgtape.tape: prev bigint
table pgtape_core.tape: kind text not null
view pgtape.tape: cursor text
table pgtape_core.tape: body text not null
view pgtape.tape: at timestamp with time zone
table pgtape_core.tape: prev_hash bytea not null
view pgtape.tape: kind text
table pgtape_core.tape: hash bytea not null
view pgtape.tape: body text
view pgtape.tape: prev_hash text
view pgtape.tape: hash text
table pgtape_core.trade: id bigint not null
table pgtape_core.trade: market_id bigint not null
table pgtape_core.trade: seq bigint not null
table pgtape_core.trade: account_id bigint not null
table pgtape_core.trade: outcome smallint
table pgtape_core.trade: side text not null
table pgtape_core.trade: shares numeric(30,6) not null
table pgtape_core.trade: amount numeric(30,6) not null
table pgtape_core.trade: price_before numeric(13,12) not null
table pgtape_core.trade: price_after numeric(13,12) not null
table pgtape_core.trade: balance numeric(30,6) not null
table pgtape_core.trade: "position" numeric(30,6) not null
table pgtape_core.trade: at timestamp with time zone not null
table pgtape_core.trade: spend numeric(30,6)
table pgtape_core.trade: expected_price numeric
table pgtape_core.trade: expected_version bigint
table pgtape_core.trade: max_slippage_bps integer
table pgtape_core.trade: max_cost numeric(30,6)
table pgtape_core.trade: min_proceeds numeric(30,6)
table pgtape_core.trade: deadline timestamp with time zone
table pgtape_core.trade: idempotency_key text
table pgtape_core.trade: request_hash bytea
view pgtape.trades: market text
view pgtape.trades: version bigint
view pgtape.trades: trade_id bigint
view pgtape.trades: account text
view pgtape.trades: outcome text
view pgtape.trades: side text
view pgtape.trades: shares numeric(30,6)
view pgtape.trades: amount numeric(30,6)
view pgtape.trades: avg_price numeric(13,12)
view pgtape.trades: price_before numeric(13,12)
view pgtape.trades: price_after numeric(13,12)
view pgtape.trades: at timestamp with time zone
constraint position_account_id_fkey on pgtape_core."position": FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint position_market_id_fkey on pgtape_core."position": FOREIGN KEY (market_id) REFERENCES pgtape_core.market(id)
constraint position_pkey on pgtape_core."position": PRIMARY KEY (account_id, market_id, outcome)
constraint shares_not_negative on pgtape_core."position": CHECK ((shares >= (0)::numeric))
constraint account_pkey on pgtape_core.account: PRIMARY KEY (id)
constraint balance_not_negative on pgtape_core.account: CHECK (((balance >= (0)::numeric) OR (kind = 'house'::text)))
constraint kind_is_known on pgtape_core.account: CHECK ((kind = ANY (ARRAY['person'::text, 'house'::text, 'market'::text])))
constraint role_is_known on pgtape_core.account: CHECK ((role = ANY (ARRAY['trader'::text, 'operator'::text, 'admin'::text])))
constraint audit_entry_pkey on pgtape_core.audit_entry: PRIMARY KEY (id)
constraint book_market_id_fkey on pgtape_core.book: FOREIGN KEY (market_id) REFERENCES pgtape_core.market(id)
constraint book_pkey on pgtape_core.book: PRIMARY KEY (market_id)
constraint paid_out_when_final on pgtape_core.book: CHECK (((payout IS NOT NULL) = (status = ANY (ARRAY['resolved'::text, 'void'::text]))))
constraint status_is_known on pgtape_core.book: CHECK ((status = ANY (ARRAY['draft'::text, 'open'::text, 'halted'::text, 'closed'::text, 'proposed'::text, 'disputed'::text, 'resolved'::text, 'void'::text])))
constraint doorbell_pkey on pgtape_core.doorbell: PRIMARY KEY (singleton)
constraint one_doorbell on pgtape_core.doorbell: CHECK (singleton)
constraint function_bundle_pkey on pgtape_core.function_bundle: PRIMARY KEY (singleton)
constraint one_bundle on pgtape_core.function_bundle: CHECK (singleton)
constraint house_tape_pkey on pgtape_core.house_tape: PRIMARY KEY (singleton)
constraint one_house on pgtape_core.house_tape: CHECK (singleton)
constraint amount_moves_something on pgtape_core.ledger_entry: CHECK ((amount <> (0)::numeric))
constraint kind_is_known on pgtape_core.ledger_entry: CHECK ((kind = ANY (ARRAY['opening_grant'::text, 'grant'::text, 'subsidy'::text, 'trade'::text, 'payout'::text, 'subsidy_return'::text, 'correction'::text])))
constraint ledger_entry_pkey on pgtape_core.ledger_entry: PRIMARY KEY (account_id, transaction_id)
constraint login_account_id_fkey on pgtape_core.login: FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint login_pkey on pgtape_core.login: PRIMARY KEY (role_name)
constraint liquidity_positive on pgtape_core.market: CHECK ((liquidity > (0)::numeric))
constraint market_account_id_fkey on pgtape_core.market: FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint market_account_id_key on pgtape_core.market: UNIQUE (account_id)
constraint market_funder_id_fkey on pgtape_core.market: FOREIGN KEY (funder_id) REFERENCES pgtape_core.account(id)
constraint market_pkey on pgtape_core.market: PRIMARY KEY (id)
constraint market_slug_key on pgtape_core.market: UNIQUE (slug)
constraint two_to_fifty_outcomes on pgtape_core.market: CHECK (((cardinality(outcomes) >= 2) AND (cardinality(outcomes) <= 50)))
constraint session_account_id_fkey on pgtape_core.session: FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint session_pkey on pgtape_core.session: PRIMARY KEY (token_hash)
constraint setting_pkey on pgtape_core.setting: PRIMARY KEY (name)
constraint seq_positive on pgtape_core.tape: CHECK ((seq > 0))
constraint tape_pkey on pgtape_core.tape: PRIMARY KEY (market, seq)
constraint amount_not_negative on pgtape_core.trade: CHECK ((amount >= (0)::numeric))
constraint shares_positive on pgtape_core.trade: CHECK ((shares > (0)::numeric))
constraint side_is_known on pgtape_core.trade: CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text])))
constraint trade_pkey on pgtape_core.trade: PRIMARY KEY (id)
CREATE UNIQUE INDEX account_handle ON pgtape_core.account USING btree (lower(handle))
CREATE UNIQUE INDEX account_pkey ON pgtape_core.account USING btree (id)
CREATE UNIQUE INDEX audit_entry_pkey ON pgtape_core.audit_entry USING btree (id)
CREATE UNIQUE INDEX book_pkey ON pgtape_core.book USING btree (market_id)
CREATE UNIQUE INDEX doorbell_pkey ON pgtape_core.doorbell USING btree (singleton)
CREATE UNIQUE INDEX function_bundle_pkey ON pgtape_core.function_bundle USING btree (singleton)
CREATE UNIQUE INDEX house_tape_pkey ON pgtape_core.house_tape USING btree (singleton)
CREATE UNIQUE INDEX ledger_entry_pkey ON pgtape_core.ledger_entry USING btree (account_id, transaction_id)
CREATE INDEX ledger_entry_transaction ON pgtape_core.ledger_entry USING brin (transaction_id) WITH (autosummarize='on')
CREATE UNIQUE INDEX login_pkey ON pgtape_core.login USING btree (role_name)
CREATE UNIQUE INDEX market_account_id_key ON pgtape_core.market USING btree (account_id)
CREATE UNIQUE INDEX market_pkey ON pgtape_core.market USING btree (id)
CREATE UNIQUE INDEX market_slug_key ON pgtape_core.market USING btree (slug)
CREATE INDEX position_market ON pgtape_core."position" USING btree (market_id, account_id)
CREATE UNIQUE INDEX position_pkey ON pgtape_core."position" USING btree (account_id, market_id, outcome)
CREATE UNIQUE INDEX session_pkey ON pgtape_core.session USING btree (token_hash)
CREATE UNIQUE INDEX setting_pkey ON pgtape_core.setting USING btree (name)
CREATE UNIQUE INDEX tape_pkey ON pgtape_core.tape USING btree (market, seq)
CREATE INDEX trade_account ON pgtape_core.trade USING btree (account_id, id)
CREATE INDEX trade_at ON pgtape_core.trade USING brin (at) WITH (autosummarize='on')
CREATE UNIQUE INDEX trade_idempotency ON pgtape_core.trade USING btree (account_id, idempotency_key COLLATE "C") WHERE (idempotency_key IS NOT NULL)
CREATE UNIQUE INDEX trade_market_seq ON pgtape_core.trade USING btree (market_id, seq)
CREATE UNIQUE INDEX trade_pkey ON pgtape_core.trade USING btree (id)
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pgtape_core.audit_entry FOR EACH STATEMENT EXECUTE FUNCTION pgtape_core.refuse_change()
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pgtape_core.ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION pgtape_core.refuse_change()
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pgtape_core.tape FOR EACH STATEMENT EXECUTE FUNCTION pgtape_core.refuse_change()
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pgtape_core.trade FOR EACH STATEMENT EXECUTE FUNCTION pgtape_core.refuse_change()
function pgtape.close_market(text,text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape.correct_resolution(text,numeric[],text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape.create_account(text,numeric) returns pgtape_core.account_state, volatile, security definer
function pgtape.create_market(text,text,text[],numeric,timestamp with time zone,text,text,text,numeric[],boolean) returns pgtape_core.market_state, volatile, security definer
function pgtape.create_session(text,bytea,interval) returns pgtape_core.account_state, volatile, security definer
function pgtape.delete_session(bytea) returns void, volatile, security definer
function pgtape.dispute_market(text,text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape.environment() returns text, stable, security definer
function pgtape.grant_credits(text,numeric,text,text) returns pgtape_core.account_state, volatile, security definer
function pgtape.halt_market(text,text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape.history(text,timestamp with time zone,timestamp with time zone,integer) returns TABLE(at timestamp with time zone, seq bigint, prices numeric[]), stable, security definer
function pgtape.keep_doorbell_ringing() returns timestamp with time zone, volatile, security definer
function pgtape.map_login(text,text) returns void, volatile, security definer
function pgtape.market_preview(integer,numeric,numeric) returns record, stable, security definer
function pgtape.moves(text,text) returns text[], stable, security definer
function pgtape.open_market(text,text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape.propose_resolution(text,numeric[],text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape.quote(text,text,text,numeric,numeric) returns pgtape_core.quote, stable, security definer
function pgtape.resolve_market(text,numeric[],text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape.session_account(bytea) returns SETOF pgtape_core.account_state, stable, security definer
function pgtape.set_environment(text) returns text, volatile, security definer
function pgtape.set_role(text,text,text) returns pgtape_core.account_state, volatile, security definer
function pgtape.settlement(text,numeric[]) returns record, stable, security definer
function pgtape.trade(text,text,text,numeric,numeric,numeric,bigint,integer,numeric,numeric,timestamp with time zone,text,text) returns pgtape_core.receipt, volatile, security definer
function pgtape.trade_batch(jsonb) returns TABLE(n integer, receipt pgtape_core.receipt, refusal jsonb), volatile, security definer
function pgtape.trade_batch(text,jsonb) returns TABLE(n integer, receipt pgtape_core.receipt, refusal jsonb), volatile, security definer
function pgtape.verify() returns TABLE(invariant text, subject text, problem text), stable, security definer
function pgtape.void_market(text,text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape_core.account_state_of(pgtape_core.account) returns pgtape_core.account_state, immutable
function pgtape_core.acting_account(text) returns record, stable
function pgtape_core.actor() returns text, stable, security definer
function pgtape_core.advance(text,pgtape_core.book,timestamp with time zone,text,text) returns pgtape_core.book, volatile
function pgtape_core.advance_house(timestamp with time zone,text,text) returns void, volatile
function pgtape_core.amount_fault(text,numeric,numeric) returns text, immutable
function pgtape_core.avg_price(numeric,numeric,integer) returns numeric, immutable
function pgtape_core.beyond_the_book(pgtape_core.order_request,numeric,numeric) returns pgtape_core.refusal, immutable
function pgtape_core.cannot_settle(text,numeric,numeric[],integer,integer,pgtape_core.quote) returns pgtape_core.refusal, immutable
function pgtape_core.check_append_only() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_balances() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_bounds() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_charges() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_escrow() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_idempotency() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_ledger() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_orders(pgtape_core.order_request[]) returns record, stable
function pgtape_core.check_payouts() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_positions() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_prices() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_tape() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_tape_trades() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_trade_entries() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_trading_hours() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.closed_to_orders(text,text,timestamp with time zone,timestamp with time zone) returns pgtape_core.refusal, immutable
function pgtape_core.cursor_of(bigint,bytea) returns text, immutable
function pgtape_core.due(bigint,numeric[]) returns TABLE(account_id bigint, amount numeric), stable
function pgtape_core.entitled(pgtape_core.market,numeric[]) returns TABLE(account_id bigint, amount numeric), stable
function pgtape_core.event_hash(bytea,text,bigint,timestamp with time zone,text,text) returns bytea, immutable
function pgtape_core.is_operator() returns boolean, stable
function pgtape_core.is_server() returns boolean, stable
function pgtape_core.json_by_outcome(text[],numeric[]) returns text, immutable
function pgtape_core.json_payout(pgtape_core.market,numeric[]) returns text, immutable
function pgtape_core.json_quote(pgtape_core.quote,numeric) returns jsonb, immutable
function pgtape_core.json_time(timestamp with time zone) returns text, immutable
function pgtape_core.json_trade(pgtape_core.trade,text,text,text[],numeric[]) returns text, immutable
function pgtape_core.least_of(numeric[],integer,integer) returns numeric, immutable
function pgtape_core.lmsr_at(numeric[],numeric) returns record, immutable
function pgtape_core.lmsr_charge(numeric[],numeric,integer,numeric) returns record, immutable
function pgtape_core.lmsr_is_shift(numeric[],numeric[],numeric) returns boolean, immutable
function pgtape_core.lmsr_move(numeric[],numeric,integer,numeric,numeric) returns record, immutable
function pgtape_core.lmsr_shares(numeric[],numeric,integer,numeric,numeric) returns numeric, immutable
function pgtape_core.lmsr_subsidy(numeric,integer) returns numeric, immutable
function pgtape_core.lock_accounts(bigint[]) returns void, volatile
function pgtape_core.lock_books(bigint[],boolean) returns pgtape_core.book[], volatile
function pgtape_core.lock_holders(pgtape_core.market) returns void, volatile
function pgtape_core.lock_market(text,text[]) returns record, volatile
function pgtape_core.lock_traders(bigint[],boolean) returns record, volatile
function pgtape_core.market_fault(text,text,text[],numeric,timestamp with time zone,text,text) returns text, stable
function pgtape_core.market_state_of(pgtape_core.market,pgtape_core.book) returns pgtape_core.market_state, stable, security definer
function pgtape_core.move_market(pgtape_core.market,pgtape_core.book,text,text,text,text,text,timestamp with time zone) returns pgtape_core.market_state, volatile
function pgtape_core.next_event(text,bigint,bytea,timestamp with time zone,text,text) returns pgtape_core.tape, immutable
function pgtape_core.no_market(text) returns pgtape_core.refusal, immutable
function pgtape_core.note_act(text,text,text,jsonb) returns void, volatile
function pgtape_core.operate(text,text[],text,text,text,text) returns pgtape_core.market_state, volatile
function pgtape_core.order_fault(pgtape_core.order_request) returns pgtape_core.refusal, immutable
function pgtape_core.orders_of(jsonb,text) returns pgtape_core.order_request[], stable
function pgtape_core.pay_out(pgtape_core.market,pgtape_core.book,numeric[],text,text,text) returns pgtape_core.market_state, volatile
function pgtape_core.payout_fault(pgtape_core.market,numeric[]) returns text, immutable
function pgtape_core.place(pgtape_core.order_request[],boolean) returns record, volatile
function pgtape_core.positions_of(integer[],bigint[],numeric[],pgtape_core.market) returns pgtape_core."position"[], immutable
function pgtape_core.post(text,bigint[],numeric[],timestamp with time zone,bigint,bigint) returns void, volatile
function pgtape_core.price_order(pgtape_core.market,pgtape_core.book,pgtape_core.order_request,numeric) returns record, immutable
function pgtape_core.raise_refusal(pgtape_core.refusal) returns void, immutable
function pgtape_core.reason_fault(text) returns text, immutable
function pgtape_core.receipt_of(pgtape_core.trade,text,text,text,boolean) returns pgtape_core.receipt, immutable
function pgtape_core.received(pgtape_core.market) returns TABLE(account_id bigint, amount numeric), stable
function pgtape_core.refuse(text,text,text,jsonb) returns void, immutable
function pgtape_core.refuse_change() returns trigger, volatile
function pgtape_core.refuse_fault(text) returns void, immutable
function pgtape_core.request_hash(pgtape_core.order_request) returns bytea, immutable
function pgtape_core.require_operator(text) returns text, stable
function pgtape_core.require_role(text,text[]) returns text, stable
function pgtape_core.require_runner(text,text) returns text, stable
function pgtape_core.ring(text,bigint) returns void, volatile
function pgtape_core.sale_value(numeric[],numeric,integer,numeric) returns numeric, immutable, security definer
function pgtape_core.shares_of(bigint[],bigint,integer) returns numeric[], stable
function pgtape_core.sqlstate_of(text) returns text, immutable
function pgtape_core.stale_quote(pgtape_core.order_request,pgtape_core.quote) returns pgtape_core.refusal, immutable
function pgtape_core.trades_of_keys(pgtape_core.order_request[],bigint[]) returns record, volatile
function pgtape_core.transfer(text,bigint,bigint,numeric,timestamp with time zone,bigint,bigint) returns void, volatile
function pgtape_core.uniform_payout(integer) returns numeric[], immutable
function pgtape_core.write_books(pgtape_core.book[]) returns void, volatile
function pgtape_core.write_trades(pgtape_core.trade[],pgtape_core."position"[]) returns void, volatile
pgtape_auditor may execute pgtape.environment()
pgtape_auditor may execute pgtape.verify()
pgtape_auditor may execute pgtape_core.actor()
pgtape_auditor may execute pgtape_core.avg_price(numeric,numeric,integer)
pgtape_auditor may execute pgtape_core.cursor_of(bigint,bytea)
pgtape_auditor may execute pgtape_core.market_state_of(pgtape_core.market,pgtape_core.book)
pgtape_auditor may execute pgtape_core.sale_value(numeric[],numeric,integer,numeric)
pgtape_auditor may select pgtape.accounts
pgtape_auditor may select pgtape.activity
pgtape_auditor may select pgtape.audit
pgtape_auditor may select pgtape.categories
pgtape_auditor may select pgtape.heads
pgtape_auditor may select pgtape.leaderboard
pgtape_auditor may select pgtape.ledger
pgtape_auditor may select pgtape.markets
pgtape_auditor may select pgtape.positions
pgtape_auditor may select pgtape.schema_digest
pgtape_auditor may select pgtape.tape
pgtape_auditor may select pgtape.trades
pgtape_operator may execute pgtape.close_market(text,text,text)
pgtape_operator may execute pgtape.correct_resolution(text,numeric[],text,text)
pgtape_operator may execute pgtape.create_account(text,numeric)
pgtape_operator may execute pgtape.create_market(text,text,text[],numeric,timestamp with time zone,text,text,text,numeric[],boolean)
pgtape_operator may execute pgtape.dispute_market(text,text,text)
pgtape_operator may execute pgtape.environment()
pgtape_operator may execute pgtape.grant_credits(text,numeric,text,text)
pgtape_operator may execute pgtape.halt_market(text,text,text)
pgtape_operator may execute pgtape.history(text,timestamp with time zone,timestamp with time zone,integer)
pgtape_operator may execute pgtape.map_login(text,text)
pgtape_operator may execute pgtape.market_preview(integer,numeric,numeric)
pgtape_operator may execute pgtape.open_market(text,text,text)
pgtape_operator may execute pgtape.propose_resolution(text,numeric[],text,text)
pgtape_operator may execute pgtape.quote(text,text,text,numeric,numeric)
pgtape_operator may execute pgtape.resolve_market(text,numeric[],text,text)
pgtape_operator may execute pgtape.set_environment(text)
pgtape_operator may execute pgtape.set_role(text,text,text)
pgtape_operator may execute pgtape.settlement(text,numeric[])
pgtape_operator may execute pgtape.trade(text,text,text,numeric,numeric,numeric,bigint,integer,numeric,numeric,timestamp with time zone,text,text)
pgtape_operator may execute pgtape.trade_batch(jsonb)
pgtape_operator may execute pgtape.trade_batch(text,jsonb)
pgtape_operator may execute pgtape.verify()
pgtape_operator may execute pgtape.void_market(text,text,text)
pgtape_operator may execute pgtape_core.actor()
pgtape_operator may execute pgtape_core.avg_price(numeric,numeric,integer)
pgtape_operator may execute pgtape_core.cursor_of(bigint,bytea)
pgtape_operator may execute pgtape_core.market_state_of(pgtape_core.market,pgtape_core.book)
pgtape_operator may execute pgtape_core.sale_value(numeric[],numeric,integer,numeric)
pgtape_operator may select pgtape.accounts
pgtape_operator may select pgtape.activity
pgtape_operator may select pgtape.audit
pgtape_operator may select pgtape.categories
pgtape_operator may select pgtape.heads
pgtape_operator may select pgtape.leaderboard
pgtape_operator may select pgtape.ledger
pgtape_operator may select pgtape.markets
pgtape_operator may select pgtape.my_account
pgtape_operator may select pgtape.my_ledger
pgtape_operator may select pgtape.my_positions
pgtape_operator may select pgtape.positions
pgtape_operator may select pgtape.schema_digest
pgtape_operator may select pgtape.tape
pgtape_operator may select pgtape.trades
pgtape_server may execute pgtape.close_market(text,text,text)
pgtape_server may execute pgtape.correct_resolution(text,numeric[],text,text)
pgtape_server may execute pgtape.create_account(text,numeric)
pgtape_server may execute pgtape.create_market(text,text,text[],numeric,timestamp with time zone,text,text,text,numeric[],boolean)
pgtape_server may execute pgtape.create_session(text,bytea,interval)
pgtape_server may execute pgtape.delete_session(bytea)
pgtape_server may execute pgtape.dispute_market(text,text,text)
pgtape_server may execute pgtape.environment()
pgtape_server may execute pgtape.grant_credits(text,numeric,text,text)
pgtape_server may execute pgtape.halt_market(text,text,text)
pgtape_server may execute pgtape.history(text,timestamp with time zone,timestamp with time zone,integer)
pgtape_server may execute pgtape.keep_doorbell_ringing()
pgtape_server may execute pgtape.market_preview(integer,numeric,numeric)
pgtape_server may execute pgtape.moves(text,text)
pgtape_server may execute pgtape.open_market(text,text,text)
pgtape_server may execute pgtape.propose_resolution(text,numeric[],text,text)
pgtape_server may execute pgtape.quote(text,text,text,numeric,numeric)
pgtape_server may execute pgtape.resolve_market(text,numeric[],text,text)
pgtape_server may execute pgtape.session_account(bytea)
pgtape_server may execute pgtape.set_environment(text)
pgtape_server may execute pgtape.set_role(text,text,text)
pgtape_server may execute pgtape.settlement(text,numeric[])
pgtape_server may execute pgtape.trade(text,text,text,numeric,numeric,numeric,bigint,integer,numeric,numeric,timestamp with time zone,text,text)
pgtape_server may execute pgtape.trade_batch(jsonb)
pgtape_server may execute pgtape.trade_batch(text,jsonb)
pgtape_server may execute pgtape.verify()
pgtape_server may execute pgtape.void_market(text,text,text)
pgtape_server may execute pgtape_core.actor()
pgtape_server may execute pgtape_core.avg_price(numeric,numeric,integer)
pgtape_server may execute pgtape_core.cursor_of(bigint,bytea)
pgtape_server may execute pgtape_core.market_state_of(pgtape_core.market,pgtape_core.book)
pgtape_server may execute pgtape_core.sale_value(numeric[],numeric,integer,numeric)
pgtape_server may select pgtape.accounts
pgtape_server may select pgtape.activity
pgtape_server may select pgtape.audit
pgtape_server may select pgtape.categories
pgtape_server may select pgtape.heads
pgtape_server may select pgtape.leaderboard
pgtape_server may select pgtape.ledger
pgtape_server may select pgtape.markets
pgtape_server may select pgtape.my_account
pgtape_server may select pgtape.my_ledger
pgtape_server may select pgtape.my_positions
pgtape_server may select pgtape.positions
pgtape_server may select pgtape.schema_digest
pgtape_server may select pgtape.tape
pgtape_server may select pgtape.trades
pgtape_trader may execute pgtape.close_market(text,text,text)
pgtape_trader may execute pgtape.create_market(text,text,text[],numeric,timestamp with time zone,text,text,text,numeric[],boolean)
pgtape_trader may execute pgtape.dispute_market(text,text,text)
pgtape_trader may execute pgtape.environment()
pgtape_trader may execute pgtape.history(text,timestamp with time zone,timestamp with time zone,integer)
pgtape_trader may execute pgtape.market_preview(integer,numeric,numeric)
pgtape_trader may execute pgtape.propose_resolution(text,numeric[],text,text)
pgtape_trader may execute pgtape.quote(text,text,text,numeric,numeric)
pgtape_trader may execute pgtape.settlement(text,numeric[])
pgtape_trader may execute pgtape.trade(text,text,text,numeric,numeric,numeric,bigint,integer,numeric,numeric,timestamp with time zone,text,text)
pgtape_trader may execute pgtape.trade_batch(jsonb)
pgtape_trader may execute pgtape.trade_batch(text,jsonb)
pgtape_trader may execute pgtape_core.actor()
pgtape_trader may execute pgtape_core.avg_price(numeric,numeric,integer)
pgtape_trader may execute pgtape_core.cursor_of(bigint,bytea)
pgtape_trader may execute pgtape_core.market_state_of(pgtape_core.market,pgtape_core.book)
pgtape_trader may execute pgtape_core.sale_value(numeric[],numeric,integer,numeric)
pgtape_trader may select pgtape.activity
pgtape_trader may select pgtape.categories
pgtape_trader may select pgtape.heads
pgtape_trader may select pgtape.leaderboard
pgtape_trader may select pgtape.markets
pgtape_trader may select pgtape.my_account
pgtape_trader may select pgtape.my_ledger
pgtape_trader may select pgtape.my_positions
pgtape_trader may select pgtape.schema_digest
pgtape_trader may select pgtape.tape
pgtape_trader may select pgtape.trades
publication pgtape_tape: pgtape_core.tape, insert t update f delete f truncate f
