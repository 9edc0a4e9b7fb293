-- What a fresh database holds, from its catalogs. Rewritten by: go test ./db -run Golden -update
table pgtape_core.account: id bigint not null
table pgtape_core.account: handle text not null
table pgtape_core.account: kind text not null default 'person'::text
table pgtape_core.account: balance numeric(30,6) not null default 0
table pgtape_core.account: created_at timestamp with time zone not null default clock_timestamp()
table pgtape_core.account: role text not null default 'trader'::text
table pgtape_core.account: gone_at timestamp with time zone
table pgtape_core.account: look_alike bigint not null default 0
type pgtape_core.account_state: handle text
type pgtape_core.account_state: balance numeric(30,6)
type pgtape_core.account_state: created_at timestamp with time zone
type pgtape_core.account_state: role text
type pgtape_core.account_state: id bigint
view pgtape.accounts: handle text
view pgtape.accounts: kind text
view pgtape.accounts: balance numeric(30,6)
view pgtape.accounts: created_at timestamp with time zone
view pgtape.accounts: role text
view pgtape.accounts: id bigint
view pgtape.accounts: gone boolean
view pgtape.activity: market text
view pgtape.activity: trades bigint
view pgtape.activity: volume numeric
table pgtape_core.api_key: id bigint not null
table pgtape_core.api_key: account_id bigint not null
table pgtape_core.api_key: key_hash bytea not null
table pgtape_core.api_key: name text not null
table pgtape_core.api_key: prefix text not null
table pgtape_core.api_key: scopes text[] not null
table pgtape_core.api_key: created_at timestamp with time zone not null default clock_timestamp()
table pgtape_core.api_key: expires_at timestamp with time zone
table pgtape_core.api_key: last_used_at timestamp with time zone
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
table pgtape_core.audit_entry: account_id bigint
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
table pgtape_core.book: active_minute timestamp without time zone not null default date_trunc('minute'::text, (updated_at AT TIME ZONE 'UTC'::text))
table pgtape_core.book: volume_class integer not null default 
CASE
    WHEN (volume > (0)::numeric) THEN (1 + (floor(((50)::double precision * ln(((1)::double precision + (LEAST(volume, '1000000000000000000000000000000'::numeric))::double precision)))))::integer)
    ELSE 0
END
view pgtape.categories: category text
table pgtape_core.category: name text not null
table pgtape_core.category: key text not null
table pgtape_core.category: first boolean not null default true
table pgtape_core.comment: id bigint not null
table pgtape_core.comment: market_id bigint not null
table pgtape_core.comment: account_id bigint not null
table pgtape_core.comment: seq bigint not null
table pgtape_core.comment: body text not null
table pgtape_core.comment: at timestamp with time zone not null
table pgtape_core.comment: idempotency_key text
type pgtape_core.comment_state: id bigint
type pgtape_core.comment_state: market text
type pgtape_core.comment_state: seq bigint
type pgtape_core.comment_state: account text
type pgtape_core.comment_state: body text
type pgtape_core.comment_state: at timestamp with time zone
view pgtape.comments: id bigint
view pgtape.comments: market text
view pgtape.comments: seq bigint
view pgtape.comments: account text
view pgtape.comments: body text
view pgtape.comments: at timestamp with time zone
table pgtape_core.credential: account_id bigint not null
table pgtape_core.credential: phc text not null
table pgtape_core.credential: changed_at timestamp with time zone not null default clock_timestamp()
table pgtape_core.doorbell: singleton boolean not null default true
table pgtape_core.doorbell: ringing_until timestamp with time zone not null default '-infinity'::timestamp with time zone
type pgtape_core.filled_order: trade pgtape_core.trade
type pgtape_core.filled_order: event pgtape_core.tape
type pgtape_core.filled_order: book pgtape_core.book
type pgtape_core.filled_order: cost numeric
type pgtape_core.filled_order: refusal pgtape_core.refusal
table pgtape_core.function_bundle: singleton boolean not null default true
table pgtape_core.function_bundle: digest text not null default ''::text
table pgtape_core.function_bundle: applied_at timestamp with time zone not null default clock_timestamp()
view pgtape.heads: slug text
view pgtape.heads: version bigint
view pgtape.heads: head bytea
table pgtape_core.house_tape: singleton boolean not null default true
table pgtape_core.house_tape: version bigint not null default 0
table pgtape_core.house_tape: head bytea not null default decode(repeat('00'::text, 32), 'hex'::text)
table pgtape_core.identity: issuer text not null
table pgtape_core.identity: subject text not null
table pgtape_core.identity: account_id bigint not null
table pgtape_core.identity: created_at timestamp with time zone not null default clock_timestamp()
table pgtape_core.identity_grant: identity_hash bytea not null
table pgtape_core.identity_grant: at timestamp with time zone not null default clock_timestamp()
table pgtape_core.invite: id bigint not null
table pgtape_core.invite: code_hash bytea not null
table pgtape_core.invite: account_id bigint
table pgtape_core.invite: made_by text not null
table pgtape_core.invite: role text not null
table pgtape_core.invite: uses integer not null
table pgtape_core.invite: used integer not null default 0
table pgtape_core.invite: created_at timestamp with time zone not null default clock_timestamp()
table pgtape_core.invite: expires_at timestamp with time zone not null
view pgtape.leaderboard: account text
view pgtape.leaderboard: balance numeric(30,6)
view pgtape.leaderboard: positions_value numeric(30,6)
view pgtape.leaderboard: profit numeric
view pgtape.leaderboard: markets bigint
view pgtape.leaderboard: counted numeric(30,6)
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
view pgtape_core.listed: id bigint
view pgtape_core.listed: slug text
view pgtape_core.listed: status text
view pgtape_core.listed: closes_at timestamp with time zone
view pgtape_core.listed: category text
view pgtape_core.listed: text text
view pgtape_core.listed: created_at timestamp with time zone
view pgtape_core.listed: updated_at timestamp with time zone
view pgtape_core.listed: active_minute timestamp without time zone
view pgtape_core.listed: volume numeric(30,6)
view pgtape_core.listed: volume_class integer
type pgtape_core.lmsr_change: amount numeric
type pgtape_core.lmsr_change: cost numeric
type pgtape_core.lmsr_change: prices numeric[]
type pgtape_core.lmsr_change: q_after numeric[]
type pgtape_core.lmsr_state: cost numeric
type pgtape_core.lmsr_state: prices numeric[]
table pgtape_core.login: role_name text not null
table pgtape_core.login: account_id bigint not null
table pgtape_core.login: role_oid oid
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
view pgtape_core.market_gain: market_id bigint
view pgtape_core.market_gain: account_id bigint
view pgtape_core.market_gain: held numeric
view pgtape_core.market_gain: amount numeric
view pgtape_core.market_gain: traded boolean
table pgtape_core.market_search: market_id bigint not null
table pgtape_core.market_search: text text not null
table pgtape_core.market_search: terms text[] not null
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
table pgtape_core.notification: id bigint not null
table pgtape_core.notification: account_id bigint not null
table pgtape_core.notification: kind text not null
table pgtape_core.notification: market_id bigint
table pgtape_core.notification: seq bigint not null
table pgtape_core.notification: detail jsonb not null default '{}'::jsonb
table pgtape_core.notification: created_at timestamp with time zone not null
table pgtape_core.notification: read_at timestamp with time zone
table pgtape_core.oidc_flow: token_hash bytea not null
table pgtape_core.oidc_flow: body jsonb not null
table pgtape_core.oidc_flow: expires_at timestamp with time zone not null
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
type pgtape_core.priced_order: outcome integer
type pgtape_core.priced_order: quote pgtape_core.quote
type pgtape_core.priced_order: cost numeric
type pgtape_core.priced_order: outstanding numeric[]
type pgtape_core.priced_order: prices numeric[]
type pgtape_core.priced_order: refusal pgtape_core.refusal
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
table pgtape_core.rewriting: id bigint not null
table pgtape_core.rewriting: at timestamp with time zone not null default clock_timestamp()
table pgtape_core.rewriting: xact xid8 not null default pg_current_xact_id()
table pgtape_core.rewriting: market text not null
table pgtape_core.rewriting: from_seq bigint not null
table pgtape_core.rewriting: version bigint not null
table pgtape_core.rewriting: old_head bytea not null
table pgtape_core.rewriting: new_head bytea not null
table pgtape_core.rewriting: why text not null
view pgtape.rewritings: id bigint
view pgtape.rewritings: at timestamp with time zone
view pgtape.rewritings: market text
view pgtape.rewritings: from_seq bigint
view pgtape.rewritings: version bigint
view pgtape.rewritings: old_head text
view pgtape.rewritings: new_head text
view pgtape.rewritings: why text
view pgtape.schema_digest: digest text
view pgtape.schema_digest: applied_at timestamp with time zone
table pgtape_core.session: token_hash bytea not null
table pgtape_core.session: account_id bigint not null
table pgtape_core.session: created_at timestamp with time zone not null default clock_timestamp()
table pgtape_core.session: expires_at timestamp with time zone not null
table pgtape_core.session: id bigint not null
table pgtape_core.session: label text not null default ''::text
table pgtape_core.session: last_seen_at timestamp with time zone not null default clock_timestamp()
table pgtape_core.setting: name text not null
table pgtape_core.setting: value text not null
view pgtape.settings: name text
view pgtape.settings: value text
table pgtape_core.sign_in_link: token_hash bytea not null
table pgtape_core.sign_in_link: account_id bigint not null
table pgtape_core.sign_in_link: expires_at timestamp with time zone not null
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
view pgtape.timeline: market text
view pgtape.timeline: seq bigint
view pgtape.timeline: at timestamp with time zone
view pgtape.timeline: kind text
view pgtape.timeline: body text
view pgtape.timeline: prev_hash text
view pgtape.timeline: hash text
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
table pgtape_core.unranked: account_id bigint not null
table pgtape_core.unranked: at timestamp with time zone not null default clock_timestamp()
view pgtape.value_transfers: from_account text
view pgtape.value_transfers: to_account text
view pgtape.value_transfers: amount numeric(30,6)
view pgtape.value_transfers: markets bigint
view pgtape.value_transfers: from_markets bigint
constraint position_account_id_fkey on pgtape_core."position": FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint position_market_id_fkey on pgtape_core."position": FOREIGN KEY (market_id) REFERENCES pgtape_core.market(id)
constraint position_pkey on pgtape_core."position": PRIMARY KEY (account_id, market_id, outcome)
constraint shares_not_negative on pgtape_core."position": CHECK ((shares >= (0)::numeric))
constraint account_pkey on pgtape_core.account: PRIMARY KEY (id)
constraint balance_not_negative on pgtape_core.account: CHECK (((balance >= (0)::numeric) OR (kind = 'house'::text)))
constraint kind_is_known on pgtape_core.account: CHECK ((kind = ANY (ARRAY['person'::text, 'house'::text, 'market'::text])))
constraint role_is_known on pgtape_core.account: CHECK ((role = ANY (ARRAY['trader'::text, 'operator'::text, 'admin'::text])))
constraint api_key_account_id_fkey on pgtape_core.api_key: FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint api_key_key_hash_key on pgtape_core.api_key: UNIQUE (key_hash)
constraint api_key_pkey on pgtape_core.api_key: PRIMARY KEY (id)
constraint scopes_are_known on pgtape_core.api_key: CHECK (((scopes <@ '{read,trade,operate}'::text[]) AND (cardinality(scopes) > 0)))
constraint audit_entry_pkey on pgtape_core.audit_entry: PRIMARY KEY (id)
constraint book_market_id_fkey on pgtape_core.book: FOREIGN KEY (market_id) REFERENCES pgtape_core.market(id)
constraint book_pkey on pgtape_core.book: PRIMARY KEY (market_id)
constraint paid_out_when_final on pgtape_core.book: CHECK (((payout IS NOT NULL) = (status = ANY (ARRAY['resolved'::text, 'void'::text]))))
constraint status_is_known on pgtape_core.book: CHECK ((status = ANY (ARRAY['draft'::text, 'open'::text, 'halted'::text, 'closed'::text, 'proposed'::text, 'disputed'::text, 'resolved'::text, 'void'::text])))
constraint category_name_key on pgtape_core.category: UNIQUE (name)
constraint body_has_1_to_2000_characters on pgtape_core.comment: CHECK (((length(body) >= 1) AND (length(body) <= 2000)))
constraint comment_account_id_fkey on pgtape_core.comment: FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint comment_market_id_fkey on pgtape_core.comment: FOREIGN KEY (market_id) REFERENCES pgtape_core.market(id)
constraint comment_pkey on pgtape_core.comment: PRIMARY KEY (id)
constraint credential_account_id_fkey on pgtape_core.credential: FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint credential_pkey on pgtape_core.credential: PRIMARY KEY (account_id)
constraint phc_is_argon2id on pgtape_core.credential: CHECK ((phc ~~ '$argon2id$%'::text))
constraint doorbell_pkey on pgtape_core.doorbell: PRIMARY KEY (singleton)
constraint one_doorbell on pgtape_core.doorbell: CHECK (singleton)
constraint function_bundle_pkey on pgtape_core.function_bundle: PRIMARY KEY (singleton)
constraint one_bundle on pgtape_core.function_bundle: CHECK (singleton)
constraint house_tape_pkey on pgtape_core.house_tape: PRIMARY KEY (singleton)
constraint one_house on pgtape_core.house_tape: CHECK (singleton)
constraint identity_grant_pkey on pgtape_core.identity_grant: PRIMARY KEY (identity_hash)
constraint identity_account_id_fkey on pgtape_core.identity: FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint identity_account_id_key on pgtape_core.identity: UNIQUE (account_id)
constraint identity_pkey on pgtape_core.identity: PRIMARY KEY (issuer, subject)
constraint invite_account_id_fkey on pgtape_core.invite: FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint invite_code_hash_key on pgtape_core.invite: UNIQUE (code_hash)
constraint invite_pkey on pgtape_core.invite: PRIMARY KEY (id)
constraint role_is_known on pgtape_core.invite: CHECK ((role = ANY (ARRAY['trader'::text, 'operator'::text, 'admin'::text])))
constraint uses_not_exceeded on pgtape_core.invite: CHECK (((used >= 0) AND (used <= uses)))
constraint amount_moves_something on pgtape_core.ledger_entry: CHECK ((amount <> (0)::numeric))
constraint kind_is_known on pgtape_core.ledger_entry: CHECK ((kind = ANY (ARRAY['opening_grant'::text, 'grant'::text, 'subsidy'::text, 'trade'::text, 'payout'::text, 'subsidy_return'::text, 'correction'::text])))
constraint ledger_entry_pkey on pgtape_core.ledger_entry: PRIMARY KEY (account_id, transaction_id)
constraint login_account_id_fkey on pgtape_core.login: FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint login_pkey on pgtape_core.login: PRIMARY KEY (role_name)
constraint market_search_market_id_fkey on pgtape_core.market_search: FOREIGN KEY (market_id) REFERENCES pgtape_core.market(id)
constraint market_search_pkey on pgtape_core.market_search: PRIMARY KEY (market_id)
constraint liquidity_positive on pgtape_core.market: CHECK ((liquidity > (0)::numeric))
constraint market_account_id_fkey on pgtape_core.market: FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint market_account_id_key on pgtape_core.market: UNIQUE (account_id)
constraint market_funder_id_fkey on pgtape_core.market: FOREIGN KEY (funder_id) REFERENCES pgtape_core.account(id)
constraint market_pkey on pgtape_core.market: PRIMARY KEY (id)
constraint market_slug_key on pgtape_core.market: UNIQUE (slug)
constraint two_to_fifty_outcomes on pgtape_core.market: CHECK (((cardinality(outcomes) >= 2) AND (cardinality(outcomes) <= 50)))
constraint kind_is_known on pgtape_core.notification: CHECK ((kind = ANY (ARRAY['resolved'::text, 'proposed'::text, 'traded'::text, 'mention'::text, 'comment'::text, 'closing_soon'::text, 'password_changed'::text, 'key_made'::text, 'identity_linked'::text, 'identity_unlinked'::text])))
constraint market_is_named_unless_the_account_is_concerned on pgtape_core.notification: CHECK (((market_id IS NULL) = (kind = ANY (ARRAY['password_changed'::text, 'key_made'::text, 'identity_linked'::text, 'identity_unlinked'::text]))))
constraint nobody_is_told_twice on pgtape_core.notification: UNIQUE (account_id, market_id, kind, seq)
constraint notification_account_id_fkey on pgtape_core.notification: FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint notification_market_id_fkey on pgtape_core.notification: FOREIGN KEY (market_id) REFERENCES pgtape_core.market(id)
constraint notification_pkey on pgtape_core.notification: PRIMARY KEY (id)
constraint oidc_flow_pkey on pgtape_core.oidc_flow: PRIMARY KEY (token_hash)
constraint from_seq_within_the_tape on pgtape_core.rewriting: CHECK (((from_seq >= 1) AND (from_seq <= version)))
constraint rewriting_pkey on pgtape_core.rewriting: PRIMARY KEY (id)
constraint session_account_id_fkey on pgtape_core.session: FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint session_pkey on pgtape_core.session: PRIMARY KEY (token_hash)
constraint setting_pkey on pgtape_core.setting: PRIMARY KEY (name)
constraint sign_in_link_account_id_fkey on pgtape_core.sign_in_link: FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint sign_in_link_pkey on pgtape_core.sign_in_link: PRIMARY KEY (token_hash)
constraint seq_positive on pgtape_core.tape: CHECK ((seq > 0))
constraint tape_pkey on pgtape_core.tape: PRIMARY KEY (market, seq)
constraint amount_not_negative on pgtape_core.trade: CHECK ((amount >= (0)::numeric))
constraint shares_positive on pgtape_core.trade: CHECK ((shares > (0)::numeric))
constraint side_is_known on pgtape_core.trade: CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text])))
constraint trade_pkey on pgtape_core.trade: PRIMARY KEY (id)
constraint unranked_account_id_fkey on pgtape_core.unranked: FOREIGN KEY (account_id) REFERENCES pgtape_core.account(id)
constraint unranked_pkey on pgtape_core.unranked: PRIMARY KEY (account_id)
CREATE UNIQUE INDEX account_handle ON pgtape_core.account USING btree (lower((handle COLLATE "C")), look_alike)
CREATE INDEX account_person ON pgtape_core.account USING btree (id) WHERE (kind = 'person'::text)
CREATE UNIQUE INDEX account_pkey ON pgtape_core.account USING btree (id)
CREATE INDEX api_key_account ON pgtape_core.api_key USING btree (account_id)
CREATE UNIQUE INDEX api_key_key_hash_key ON pgtape_core.api_key USING btree (key_hash)
CREATE UNIQUE INDEX api_key_pkey ON pgtape_core.api_key USING btree (id)
CREATE INDEX audit_entry_account ON pgtape_core.audit_entry USING btree (account_id)
CREATE UNIQUE INDEX audit_entry_pkey ON pgtape_core.audit_entry USING btree (id)
CREATE INDEX book_active ON pgtape_core.book USING btree (active_minute)
CREATE UNIQUE INDEX book_pkey ON pgtape_core.book USING btree (market_id)
CREATE INDEX book_status ON pgtape_core.book USING btree (status)
CREATE INDEX book_volume ON pgtape_core.book USING btree (volume_class)
CREATE UNIQUE INDEX category_first ON pgtape_core.category USING btree (key) WHERE first
CREATE INDEX category_key ON pgtape_core.category USING btree (key)
CREATE UNIQUE INDEX category_name_key ON pgtape_core.category USING btree (name)
CREATE INDEX comment_account_at ON pgtape_core.comment USING btree (account_id, at)
CREATE UNIQUE INDEX comment_idempotency ON pgtape_core.comment USING btree (account_id, idempotency_key COLLATE "C") WHERE (idempotency_key IS NOT NULL)
CREATE INDEX comment_market ON pgtape_core.comment USING btree (market_id, id)
CREATE UNIQUE INDEX comment_pkey ON pgtape_core.comment USING btree (id)
CREATE UNIQUE INDEX credential_pkey ON pgtape_core.credential USING btree (account_id)
CREATE UNIQUE INDEX doorbell_pkey ON pgtape_core.doorbell USING btree (singleton)
CREATE UNIQUE INDEX function_bundle_pkey ON pgtape_core.function_bundle USING btree (singleton)
CREATE UNIQUE INDEX house_tape_pkey ON pgtape_core.house_tape USING btree (singleton)
CREATE UNIQUE INDEX identity_account_id_key ON pgtape_core.identity USING btree (account_id)
CREATE UNIQUE INDEX identity_grant_pkey ON pgtape_core.identity_grant USING btree (identity_hash)
CREATE UNIQUE INDEX identity_pkey ON pgtape_core.identity USING btree (issuer, subject)
CREATE INDEX invite_account ON pgtape_core.invite USING btree (account_id)
CREATE UNIQUE INDEX invite_code_hash_key ON pgtape_core.invite USING btree (code_hash)
CREATE UNIQUE INDEX invite_pkey ON pgtape_core.invite USING btree (id)
CREATE UNIQUE INDEX ledger_entry_pkey ON pgtape_core.ledger_entry USING btree (account_id, transaction_id)
CREATE INDEX ledger_entry_transaction ON pgtape_core.ledger_entry USING brin (transaction_id) WITH (autosummarize='on')
CREATE UNIQUE INDEX login_pkey ON pgtape_core.login USING btree (role_name)
CREATE UNIQUE INDEX market_account_id_key ON pgtape_core.market USING btree (account_id)
CREATE INDEX market_category ON pgtape_core.market USING btree (category)
CREATE INDEX market_closes ON pgtape_core.market USING btree (closes_at) WHERE (closes_at IS NOT NULL)
CREATE INDEX market_created ON pgtape_core.market USING btree (created_at)
CREATE INDEX market_funder_created ON pgtape_core.market USING btree (funder_id, created_at)
CREATE UNIQUE INDEX market_pkey ON pgtape_core.market USING btree (id)
CREATE UNIQUE INDEX market_search_pkey ON pgtape_core.market_search USING btree (market_id)
CREATE INDEX market_search_terms ON pgtape_core.market_search USING gin (terms) WITH (fastupdate=off)
CREATE UNIQUE INDEX market_slug_key ON pgtape_core.market USING btree (slug)
CREATE UNIQUE INDEX nobody_is_told_twice ON pgtape_core.notification USING btree (account_id, market_id, kind, seq)
CREATE INDEX notification_account ON pgtape_core.notification USING btree (account_id, created_at, id)
CREATE INDEX notification_market ON pgtape_core.notification USING btree (market_id, seq)
CREATE UNIQUE INDEX notification_pkey ON pgtape_core.notification USING btree (id)
CREATE UNIQUE INDEX oidc_flow_pkey ON pgtape_core.oidc_flow USING btree (token_hash)
CREATE INDEX position_market ON pgtape_core."position" USING btree (market_id, account_id)
CREATE UNIQUE INDEX position_pkey ON pgtape_core."position" USING btree (account_id, market_id, outcome)
CREATE INDEX rewriting_market ON pgtape_core.rewriting USING btree (market, id)
CREATE UNIQUE INDEX rewriting_pkey ON pgtape_core.rewriting USING btree (id)
CREATE INDEX session_account ON pgtape_core.session USING btree (account_id)
CREATE UNIQUE INDEX session_id ON pgtape_core.session USING btree (id)
CREATE UNIQUE INDEX session_pkey ON pgtape_core.session USING btree (token_hash)
CREATE UNIQUE INDEX setting_pkey ON pgtape_core.setting USING btree (name)
CREATE INDEX sign_in_link_account ON pgtape_core.sign_in_link USING btree (account_id)
CREATE UNIQUE INDEX sign_in_link_pkey ON pgtape_core.sign_in_link USING btree (token_hash)
CREATE INDEX tape_end ON pgtape_core.tape USING btree (at, market, seq) WHERE (kind = ANY (ARRAY['resolved'::text, 'void'::text, 'corrected'::text]))
CREATE INDEX tape_life ON pgtape_core.tape USING btree (market, seq) WHERE (kind <> ALL (ARRAY['trade'::text, 'commented'::text, 'comment_removed'::text]))
CREATE UNIQUE INDEX tape_pkey ON pgtape_core.tape USING btree (market, seq)
CREATE INDEX trade_account_market ON pgtape_core.trade USING btree (account_id, market_id, id)
CREATE INDEX trade_at ON pgtape_core.trade USING brin (at) WITH (autosummarize='on')
CREATE UNIQUE INDEX trade_idempotency ON pgtape_core.trade USING btree (account_id, idempotency_key COLLATE "C") WHERE (idempotency_key IS NOT NULL)
CREATE UNIQUE INDEX trade_market_seq ON pgtape_core.trade USING btree (market_id, seq)
CREATE UNIQUE INDEX trade_pkey ON pgtape_core.trade USING btree (id)
CREATE UNIQUE INDEX unranked_pkey ON pgtape_core.unranked USING btree (account_id)
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pgtape_core.audit_entry FOR EACH STATEMENT EXECUTE FUNCTION pgtape_core.refuse_change()
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pgtape_core.ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION pgtape_core.refuse_change()
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pgtape_core.rewriting FOR EACH STATEMENT EXECUTE FUNCTION pgtape_core.refuse_change()
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pgtape_core.tape FOR EACH STATEMENT EXECUTE FUNCTION pgtape_core.refuse_change()
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pgtape_core.trade FOR EACH STATEMENT EXECUTE FUNCTION pgtape_core.refuse_change()
function pgtape.account_history(text,bigint,integer) returns TABLE(transaction_id bigint, at timestamp with time zone, kind text, market text, question text, outcome text, side text, shares numeric, amount numeric, balance numeric), stable, security definer
function pgtape.account_markets(text) returns TABLE(market text, question text, status text, traded numeric, paid numeric, value numeric, profit numeric), stable, security definer
function pgtape.account_profile(text) returns TABLE(handle text, created_at timestamp with time zone, gone boolean, role text, trades bigint, markets bigint, made bigint, profit numeric), stable, security definer
function pgtape.account_record(text) returns TABLE(bucket integer, forecasts numeric, price_sum numeric, outcome_sum numeric, outcome_squares numeric, error_sum numeric), stable, security definer
function pgtape.accounts_to_approve(text) returns TABLE(handle text, created_at timestamp with time zone), stable, security definer
function pgtape.approve_account(text,text) returns pgtape_core.account_state, volatile, security definer
function pgtape.brier_scores(text[]) returns TABLE(account text, forecasts numeric, brier numeric), stable, security definer
function pgtape.close_market(text,text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape.comment(text,text,text,text) returns pgtape_core.comment_state, volatile, security definer
function pgtape.correct_resolution(text,numeric[],text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape.create_account(text,numeric) returns pgtape_core.account_state, volatile, security definer
function pgtape.create_invite(bytea,integer,interval,text,text) returns TABLE(id bigint, expires_at timestamp with time zone), volatile, security definer
function pgtape.create_key(text,text,text,bytea,text[],interval) returns bigint, volatile, security definer
function pgtape.create_market(text,text,text[],numeric,timestamp with time zone,text,text,text,numeric[],boolean) returns pgtape_core.market_state, volatile, security definer
function pgtape.create_session(text,bytea,interval,text,boolean,text,text,text) returns pgtape_core.account_state, volatile, security definer
function pgtape.create_sign_in_link(text,bytea,interval,text) returns timestamp with time zone, volatile, security definer
function pgtape.credential_of(text) returns SETOF text, stable, security definer
function pgtape.delete_account(text,text) returns text, volatile, security definer
function pgtape.delete_session(bytea) returns void, volatile, security definer
function pgtape.delete_sessions(text,bigint,bytea) returns SETOF bytea, volatile, security definer
function pgtape.device_key() returns bytea, volatile, security definer
function pgtape.dispute_market(text,text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape.end_lock_holder(integer,text) returns boolean, volatile, security definer
function pgtape.environment() returns text, stable, security definer
function pgtape.export_account(text) returns json, stable, security definer
function pgtape.grant_credits(text,numeric,text,text) returns pgtape_core.account_state, volatile, security definer
function pgtape.halt_market(text,text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape.history(text,timestamp with time zone,timestamp with time zone,integer) returns TABLE(at timestamp with time zone, seq bigint, prices numeric[]), stable, security definer
function pgtape.holders(text,integer) returns TABLE(outcome text, account text, shares numeric, value numeric), stable, security definer
function pgtape.identity_account(text,text) returns SETOF text, stable, security definer
function pgtape.invites(text) returns TABLE(id bigint, made_by text, role text, uses integer, used integer, created_at timestamp with time zone, expires_at timestamp with time zone), stable, security definer
function pgtape.is_password(text,text) returns boolean, stable, security definer
function pgtape.keep_doorbell_ringing() returns timestamp with time zone, volatile, security definer
function pgtape.key_account(bytea) returns TABLE(handle text, balance numeric, created_at timestamp with time zone, role text, id bigint, scopes text[]), volatile, security definer
function pgtape.keys_of(text) returns TABLE(id bigint, name text, prefix text, scopes text[], created_at timestamp with time zone, expires_at timestamp with time zone, last_used_at timestamp with time zone), stable, security definer
function pgtape.link_account(bytea) returns SETOF text, stable, security definer
function pgtape.link_identity(text,text,text) returns void, volatile, security definer
function pgtape.map_login(text,text) returns void, volatile, security definer
function pgtape.market_lock_blockers() returns TABLE(pid integer, login text, transaction text), stable, security definer
function pgtape.market_lock_holders() returns TABLE(pid integer, login text, transaction text), stable, security definer
function pgtape.market_page(text,text,text,text,numeric,text,integer,text[],numeric[]) returns TABLE(slug text, key numeric), stable, security definer
function pgtape.market_preview(integer,numeric,numeric) returns record, stable, security definer
function pgtape.markets_made(text) returns TABLE(market text, question text, status text, volume numeric, traders bigint, closes_at timestamp with time zone, cost numeric), stable, security definer
function pgtape.may_end_lock_holders() returns boolean, stable, security definer
function pgtape.moves(text,text) returns text[], stable, security definer
function pgtape.name_of_account(text) returns text, stable, security definer
function pgtape.name_of_market(text) returns text, stable, security definer
function pgtape.notifications(text,bigint,integer) returns TABLE(id bigint, kind text, market text, question text, seq bigint, detail jsonb, words text, at timestamp with time zone, read_at timestamp with time zone), stable, security definer
function pgtape.oidc_flow(bytea) returns SETOF jsonb, stable, security definer
function pgtape.open_market(text,text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape.people(text,text,integer,text) returns TABLE(handle text, role text, created_at timestamp with time zone, last_seen_at timestamp with time zone, guarded boolean, sessions bigint, keys bigint), stable, security definer
function pgtape.probe_write() returns void, volatile, security definer
function pgtape.profit_history(text,timestamp with time zone,integer) returns TABLE(at timestamp with time zone, profit numeric), stable, security definer
function pgtape.propose_resolution(text,numeric[],text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape.put_oidc_flow(bytea,jsonb) returns void, volatile, security definer
function pgtape.quote(text,text,text,numeric,numeric) returns pgtape_core.quote, stable, security definer
function pgtape.read_notifications(bigint[],text) returns bigint, volatile, security definer
function pgtape.remove_comment(bigint,text,text) returns pgtape_core.comment_state, volatile, security definer
function pgtape.renew_credential(text,text,text) returns void, volatile, security definer
function pgtape.resolve_market(text,numeric[],text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape.revoke_access(text,text) returns SETOF bytea, volatile, security definer
function pgtape.revoke_invite(bigint,text) returns void, volatile, security definer
function pgtape.revoke_key(text,bigint) returns SETOF bytea, volatile, security definer
function pgtape.session_account(bytea) returns TABLE(handle text, balance numeric, created_at timestamp with time zone, role text, id bigint, slid boolean), volatile, security definer
function pgtape.sessions_of(text,bytea) returns TABLE(id bigint, label text, created_at timestamp with time zone, last_seen_at timestamp with time zone, current boolean), stable, security definer
function pgtape.set_environment(text) returns text, volatile, security definer
function pgtape.set_password(text,text,bytea,text,text,boolean) returns SETOF bytea, volatile, security definer
function pgtape.set_ranked(text,boolean,text,text) returns pgtape_core.account_state, volatile, security definer
function pgtape.set_role(text,text,text) returns pgtape_core.account_state, volatile, security definer
function pgtape.set_setting(text,text) returns void, volatile, security definer
function pgtape.settlement(text,numeric[]) returns record, stable, security definer
function pgtape.sign_up(text,text,bytea,text,text,bytea,text) returns pgtape_core.account_state, volatile, security definer
function pgtape.site_record() returns TABLE(horizon text, several boolean, bucket integer, forecasts numeric, price_sum numeric, outcome_sum numeric, outcome_squares numeric, error_sum numeric, even_error_sum numeric), stable, security definer
function pgtape.take_oidc_flow(bytea) returns SETOF jsonb, volatile, security definer
function pgtape.trade(text,text,text,numeric,numeric,numeric,bigint,integer,numeric,numeric,timestamp with time zone,text,text) returns pgtape_core.receipt, volatile, security definer
function pgtape.trade_batch(jsonb) returns TABLE(n integer, receipt pgtape_core.receipt, refusal jsonb), volatile, security definer
function pgtape.trade_batch(text,jsonb) returns TABLE(n integer, receipt pgtape_core.receipt, refusal jsonb), volatile, security definer
function pgtape.unlink_identity(text) returns void, volatile, security definer
function pgtape.unranked_accounts(text) returns TABLE(handle text, since timestamp with time zone), stable, security definer
function pgtape.unread_notifications(text) returns bigint, volatile, security definer
function pgtape.use_sign_in_link(bytea,text,bytea,text,boolean) returns SETOF bytea, volatile, security definer
function pgtape.verify() returns TABLE(invariant text, subject text, problem text), stable, security definer
function pgtape.void_market(text,text,text) returns pgtape_core.market_state, volatile, security definer
function pgtape.ways_in(text) returns TABLE(password boolean, issuer text), stable, security definer
function pgtape_core.access_of(bigint) returns json, stable
function pgtape_core.account_state_of(pgtape_core.account) returns pgtape_core.account_state, immutable
function pgtape_core.accounts_of_orders(pgtape_core.order_request[]) returns bigint[], stable
function pgtape_core.acting_account(text) returns record, stable
function pgtape_core.actor() returns text, stable
function pgtape_core.advance_sequences() returns SETOF text, volatile
function pgtape_core.amount_error(text,numeric,numeric) returns text, immutable
function pgtape_core.append_event(text,pgtape_core.book,timestamp with time zone,text,text) returns pgtape_core.book, volatile
function pgtape_core.append_events(pgtape_core.tape[],pgtape_core.book[]) returns void, volatile
function pgtape_core.append_house_event(timestamp with time zone,text,text) returns void, volatile
function pgtape_core.avg_price(numeric,numeric,integer) returns numeric, immutable
function pgtape_core.can_sign_in(pgtape_core.account) returns boolean, stable
function pgtape_core.category_spellings(text) returns text[], stable
function pgtape_core.character_class(integer) returns text, immutable
function pgtape_core.character_error(text,text,boolean) returns text, immutable
function pgtape_core.check_append_only() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_balances() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_bounds() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_charges() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_comments() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_escrow() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_idempotency() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_ledger() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_names() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_orders(pgtape_core.order_request[]) returns record, stable
function pgtape_core.check_payouts() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_positions() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_prices() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_rewritings() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_search() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_sequences() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_tape() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_tape_trades() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_trade_entries() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_trading_hours() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.check_values() returns TABLE(invariant text, subject text, problem text), stable
function pgtape_core.closed_error(text,text,timestamp with time zone,timestamp with time zone,timestamp with time zone) returns pgtape_core.refusal, immutable
function pgtape_core.comment_state_of(pgtape_core.comment,text,text) returns pgtape_core.comment_state, immutable
function pgtape_core.complete_sets_move(numeric[],numeric,numeric,numeric[]) returns pgtape_core.lmsr_change, immutable
function pgtape_core.cursor_of(bigint,bytea) returns text, immutable
function pgtape_core.derive_notifications(bigint) returns void, volatile
function pgtape_core.entitled(pgtape_core.market,numeric[]) returns TABLE(account_id bigint, amount numeric), stable
function pgtape_core.event_hash(bytea,text,bigint,timestamp with time zone,text,text) returns bytea, immutable
function pgtape_core.excerpt(text) returns text, immutable
function pgtape_core.few_markets(text,text[],text) returns bigint[], stable
function pgtape_core.fill_order(pgtape_core.order_request,pgtape_core.market,bigint,text,numeric,numeric[],integer,bytea,pgtape_core.book,numeric) returns pgtape_core.filled_order, volatile
function pgtape_core.fill_orders(pgtape_core.order_request[],integer[],record,record,record,pgtape_core.book,numeric[]) returns record, volatile
function pgtape_core.find_account(text) returns pgtape_core.account, stable
function pgtape_core.find_account_id(text) returns bigint, stable
function pgtape_core.find_account_ids(text,boolean) returns SETOF bigint, stable
function pgtape_core.find_active_account(text) returns pgtape_core.account, stable
function pgtape_core.find_market(text) returns pgtape_core.market, stable
function pgtape_core.find_market_id(text) returns bigint, stable
function pgtape_core.find_own_account(text) returns pgtape_core.account, stable
function pgtape_core.folded_letters(text) returns text, immutable
function pgtape_core.forget_access(bigint) returns void, volatile
function pgtape_core.forget_words(bigint) returns void, volatile
function pgtape_core.funds_error(text,numeric,numeric,text,text,numeric,numeric) returns pgtape_core.refusal, immutable
function pgtape_core.handle_is_reserved(text) returns boolean, immutable
function pgtape_core.has_text_fault(text) returns boolean, immutable
function pgtape_core.hears(bigint,text) returns boolean, stable
function pgtape_core.held_of(numeric[],integer,integer,integer) returns numeric, immutable
function pgtape_core.holding_part(numeric[],numeric,numeric[],numeric[],integer[],numeric[],integer) returns numeric, immutable, security definer
function pgtape_core.holding_value(numeric[],numeric,integer[],numeric[]) returns numeric, immutable, security definer
function pgtape_core.holding_value_at(numeric[],numeric,integer[],numeric[]) returns numeric, immutable
function pgtape_core.holdings_at(bigint,timestamp with time zone,interval,integer) returns TABLE(market_id bigint, at timestamp with time zone, outcomes integer[], shares numeric[]), stable
function pgtape_core.holds_shares(bigint,bigint) returns boolean, stable
function pgtape_core.house() returns bigint, stable
function pgtape_core.identifier(text) returns text, immutable
function pgtape_core.in_list(text,text[],text,text,timestamp with time zone,text,text) returns boolean, stable
function pgtape_core.index_market(pgtape_core.market) returns void, volatile
function pgtape_core.is_guarded(pgtape_core.account) returns boolean, stable
function pgtape_core.is_operator() returns boolean, stable
function pgtape_core.is_proven(bigint,text) returns boolean, stable
function pgtape_core.is_server() returns boolean, stable
function pgtape_core.json_by_outcome(text[],numeric[]) returns text, immutable
function pgtape_core.json_payout(pgtape_core.market,numeric[]) returns text, immutable
function pgtape_core.json_quote(pgtape_core.quote,numeric) returns jsonb, immutable
function pgtape_core.json_time(timestamp with time zone) returns text, immutable
function pgtape_core.kept_event_hash(pgtape_core.tape) returns bytea, stable
function pgtape_core.lagging_sequences() returns TABLE(sequence regclass, last_value bigint, used bigint), stable
function pgtape_core.length_error(text,text,integer,integer) returns text, immutable
function pgtape_core.lifetime_error(text,interval) returns text, immutable
function pgtape_core.lmsr_at(numeric[],numeric) returns pgtape_core.lmsr_state, immutable
function pgtape_core.lmsr_charge(numeric[],numeric,integer,numeric) returns record, immutable
function pgtape_core.lmsr_is_shift(numeric[],numeric[],numeric) returns boolean, immutable
function pgtape_core.lmsr_move(numeric[],numeric,integer,numeric,numeric) returns pgtape_core.lmsr_change, immutable
function pgtape_core.lmsr_shares(numeric[],numeric,integer,numeric,numeric) returns numeric, immutable
function pgtape_core.lmsr_subsidy(numeric,integer) returns numeric, immutable
function pgtape_core.lock_accounts(bigint[]) returns void, volatile
function pgtape_core.lock_books(bigint[],boolean) returns pgtape_core.book[], volatile
function pgtape_core.lock_holders(pgtape_core.market) returns void, volatile
function pgtape_core.lock_market(text,text[]) returns record, volatile
function pgtape_core.lock_to_leave(bigint) returns pgtape_core.account, volatile
function pgtape_core.lock_traders(record,boolean) returns record, volatile
function pgtape_core.log_audit(text,text,text,jsonb) returns void, volatile
function pgtape_core.look_alike_key(text) returns text, immutable
function pgtape_core.look_alikes(text[]) returns text, immutable
function pgtape_core.market_error(text,text[],numeric,timestamp with time zone) returns text, stable
function pgtape_core.market_state_of(pgtape_core.market,pgtape_core.book) returns pgtape_core.market_state, stable, security definer
function pgtape_core.may_dispute(bigint,bigint) returns boolean, stable
function pgtape_core.micros(timestamp with time zone) returns numeric, stable
function pgtape_core.moment_of(numeric) returns timestamp with time zone, stable
function pgtape_core.move_market(pgtape_core.market,pgtape_core.book,text,text,text,text,text,timestamp with time zone) returns pgtape_core.market_state, volatile
function pgtape_core.next_event(text,bigint,bytea,timestamp with time zone,text,text) returns pgtape_core.tape, immutable
function pgtape_core.no_market(text) returns pgtape_core.refusal, immutable
function pgtape_core.no_outcome(text,text[],text) returns pgtape_core.refusal, immutable
function pgtape_core.notify(text,bigint,bigint,bigint[],jsonb[],timestamp with time zone) returns void, volatile
function pgtape_core.notify_owner(bigint,text,jsonb) returns void, volatile
function pgtape_core.notify_payout(pgtape_core.market,text,bigint,numeric[],bigint[],numeric[],timestamp with time zone) returns void, volatile
function pgtape_core.notify_proposal(pgtape_core.market,bigint,numeric[]) returns void, volatile
function pgtape_core.notify_readers(pgtape_core.tape[]) returns void, volatile
function pgtape_core.notify_talk(pgtape_core.market,pgtape_core.comment,text) returns void, volatile
function pgtape_core.only_serves() returns boolean, stable
function pgtape_core.open_account(text,numeric) returns pgtape_core.account_state, volatile
function pgtape_core.open_session(bigint,bytea,interval,text) returns void, volatile
function pgtape_core.open_value(bigint) returns numeric, stable
function pgtape_core.open_values(bigint) returns TABLE(market_id bigint, value numeric), stable
function pgtape_core.opening_credits(boolean,text,text) returns numeric, volatile
function pgtape_core.operate(text,text,text,text,text,text) returns pgtape_core.market_state, volatile
function pgtape_core.order_error(pgtape_core.order_request) returns pgtape_core.refusal, immutable
function pgtape_core.orders_of(jsonb,text) returns pgtape_core.order_request[], stable
function pgtape_core.outcome_spelled(text[],text) returns text, immutable
function pgtape_core.outstanding_at(bigint,timestamp with time zone[]) returns TABLE(moment timestamp with time zone, outstanding numeric[]), stable
function pgtape_core.outstanding_error(text,numeric[],integer,text,numeric) returns pgtape_core.refusal, immutable
function pgtape_core.own_account_id() returns bigint, stable, security definer
function pgtape_core.page_by_activity(text,text[],text,numeric,text,integer,bigint[]) returns TABLE(slug text, key numeric), stable
function pgtape_core.page_by_age(text,text[],text,numeric,text,integer,bigint[]) returns TABLE(slug text, key numeric), stable
function pgtape_core.page_by_close(text,text[],text,numeric,text,integer,bigint[]) returns TABLE(slug text, key numeric), stable
function pgtape_core.page_by_rank(text,text[],text,numeric,text,integer,text[],numeric[]) returns TABLE(slug text, key numeric), stable
function pgtape_core.page_by_volume(text,text[],text,numeric,text,integer,bigint[]) returns TABLE(slug text, key numeric), stable
function pgtape_core.page_of_rest(text,text[],text,text,numeric,text,integer,bigint[],text[]) returns TABLE(slug text, key numeric), stable
function pgtape_core.paid_out_at(text) returns timestamp with time zone, stable
function pgtape_core.pay_out(pgtape_core.market,pgtape_core.book,numeric[],text,text,text) returns pgtape_core.market_state, volatile
function pgtape_core.payout_by_account(bigint,numeric[]) returns TABLE(account_id bigint, amount numeric), stable
function pgtape_core.payout_error(pgtape_core.market,numeric[]) returns text, immutable
function pgtape_core.place(pgtape_core.order_request[],boolean) returns record, volatile
function pgtape_core.positions_of(bigint[],numeric[],numeric[],bigint,integer) returns pgtape_core."position"[], immutable
function pgtape_core.post(text,bigint[],numeric[],timestamp with time zone,bigint,bigint) returns void, volatile
function pgtape_core.price_order(text,bigint,text[],numeric,text,text,numeric,numeric,numeric[],numeric[],numeric) returns pgtape_core.priced_order, immutable
function pgtape_core.prices_at(bigint,timestamp with time zone[]) returns TABLE(moment timestamp with time zone, prices numeric[]), stable
function pgtape_core.raise_refusal(pgtape_core.refusal) returns void, immutable
function pgtape_core.receipt_of(pgtape_core.trade,text,text[],text,boolean) returns pgtape_core.receipt, immutable
function pgtape_core.received(pgtape_core.market) returns TABLE(account_id bigint, amount numeric), stable
function pgtape_core.record_of(bigint) returns TABLE(bucket integer, forecasts numeric, price_sum numeric, outcome_sum numeric, outcome_squares numeric, error_sum numeric), stable
function pgtape_core.refuse(text,text,text,jsonb) returns void, immutable
function pgtape_core.refuse_change() returns trigger, volatile
function pgtape_core.refuse_error(text) returns void, immutable
function pgtape_core.renamed(text,text,text,text,boolean) returns text, immutable
function pgtape_core.repeat_trade(pgtape_core.trade,bytea) returns pgtape_core.filled_order, immutable
function pgtape_core.request_hash(pgtape_core.order_request) returns bytea, immutable
function pgtape_core.require_account(text) returns record, stable
function pgtape_core.require_category(text) returns text, volatile
function pgtape_core.require_comment_rate(bigint,text) returns void, stable
function pgtape_core.require_creator_or_operator(text,text) returns text, stable
function pgtape_core.require_market_creation(pgtape_core.account,numeric,boolean) returns boolean, stable
function pgtape_core.require_market_rate(pgtape_core.account) returns void, stable
function pgtape_core.require_operator(text) returns text, stable
function pgtape_core.require_other_admin(bigint) returns void, volatile
function pgtape_core.require_outcomes(text[]) returns text[], immutable
function pgtape_core.require_proof(bigint,text) returns void, stable
function pgtape_core.require_proposal_rate(pgtape_core.market,text) returns void, stable
function pgtape_core.require_reason(text) returns text, immutable
function pgtape_core.require_role(text,text[]) returns text, stable
function pgtape_core.require_text(text,text,integer,integer,boolean) returns text, immutable
function pgtape_core.revoke_public_rights() returns void, volatile
function pgtape_core.rewrite_tape(text,text,text,boolean,text) returns void, volatile
function pgtape_core.search_terms(text) returns text[], immutable
function pgtape_core.search_text(text,text,text) returns text, immutable
function pgtape_core.seq_at(text,timestamp with time zone,bigint,bigint) returns bigint, stable
function pgtape_core.setting_error(text,text) returns text, immutable
function pgtape_core.shares_of(bigint[],bigint[],bigint,integer) returns record, stable
function pgtape_core.shows_way_in(bigint,text,text,text) returns boolean, stable
function pgtape_core.spaced(text,boolean) returns text, immutable
function pgtape_core.sqlstate_of(text) returns text, immutable
function pgtape_core.stale_quote(pgtape_core.order_request,pgtape_core.quote) returns pgtape_core.refusal, immutable
function pgtape_core.states_for(text) returns text[], immutable
function pgtape_core.talk(pgtape_core.market,pgtape_core.book,timestamp with time zone,text,text) returns void, volatile
function pgtape_core.tapes_naming(pgtape_core.account) returns SETOF bigint, stable
function pgtape_core.text_error(text,text,integer,integer,boolean) returns text, immutable
function pgtape_core.time_error(text,timestamp with time zone) returns text, immutable
function pgtape_core.trade_event(text,bigint,bytea,timestamp with time zone,bigint,text,text,text,numeric,numeric,text[],numeric[]) returns pgtape_core.tape, immutable
function pgtape_core.trade_of(pgtape_core.order_request,bigint,bigint,bigint,integer,numeric,numeric,numeric,numeric,numeric,numeric,timestamp with time zone,bytea) returns pgtape_core.trade, volatile
function pgtape_core.trade_of_key(pgtape_core.trade,pgtape_core.trade[],bigint,pgtape_core.order_request) returns pgtape_core.trade, immutable
function pgtape_core.trades_of_keys(pgtape_core.order_request[],bigint[]) returns record, volatile
function pgtape_core.trading_ended_at(pgtape_core.market) returns timestamp with time zone, stable
function pgtape_core.transfer(text,bigint,bigint,numeric,timestamp with time zone,bigint,bigint) returns void, volatile
function pgtape_core.uniform_payout(integer) returns numeric[], immutable
function pgtape_core.values_at(bigint,timestamp with time zone,interval,integer) returns TABLE(at timestamp with time zone, amount numeric), stable
function pgtape_core.what_is(integer) returns text, immutable
function pgtape_core.without_placed(text) returns text, immutable
function pgtape_core.words_of(bigint) returns json, stable
function pgtape_core.write_books(pgtape_core.book[]) returns void, volatile
function pgtape_core.write_credential(bigint,text,boolean,text) returns SETOF bytea, volatile
function pgtape_core.write_identity(pgtape_core.account,text,text) returns void, volatile
function pgtape_core.write_trades(pgtape_core.trade[],pgtape_core."position"[],pgtape_core.tape[],pgtape_core.book[]) returns void, volatile
function pgtape_core.yes_of(text[]) returns integer, immutable
pgtape_auditor may execute pgtape.account_profile(text)
pgtape_auditor may execute pgtape.account_record(text)
pgtape_auditor may execute pgtape.brier_scores(text[])
pgtape_auditor may execute pgtape.environment()
pgtape_auditor may execute pgtape.holders(text,integer)
pgtape_auditor may execute pgtape.name_of_account(text)
pgtape_auditor may execute pgtape.name_of_market(text)
pgtape_auditor may execute pgtape.site_record()
pgtape_auditor may execute pgtape.verify()
pgtape_auditor may execute pgtape_core.avg_price(numeric,numeric,integer)
pgtape_auditor may execute pgtape_core.cursor_of(bigint,bytea)
pgtape_auditor may execute pgtape_core.holding_part(numeric[],numeric,numeric[],numeric[],integer[],numeric[],integer)
pgtape_auditor may execute pgtape_core.holding_value(numeric[],numeric,integer[],numeric[])
pgtape_auditor may execute pgtape_core.own_account_id()
pgtape_auditor may select pgtape.accounts
pgtape_auditor may select pgtape.activity
pgtape_auditor may select pgtape.audit
pgtape_auditor may select pgtape.categories
pgtape_auditor may select pgtape.comments
pgtape_auditor may select pgtape.heads
pgtape_auditor may select pgtape.leaderboard
pgtape_auditor may select pgtape.ledger
pgtape_auditor may select pgtape.markets
pgtape_auditor may select pgtape.positions
pgtape_auditor may select pgtape.rewritings
pgtape_auditor may select pgtape.schema_digest
pgtape_auditor may select pgtape.settings
pgtape_auditor may select pgtape.tape
pgtape_auditor may select pgtape.timeline
pgtape_auditor may select pgtape.trades
pgtape_auditor may select pgtape.value_transfers
pgtape_operator may execute pgtape.account_profile(text)
pgtape_operator may execute pgtape.account_record(text)
pgtape_operator may execute pgtape.accounts_to_approve(text)
pgtape_operator may execute pgtape.approve_account(text,text)
pgtape_operator may execute pgtape.brier_scores(text[])
pgtape_operator may execute pgtape.close_market(text,text,text)
pgtape_operator may execute pgtape.comment(text,text,text,text)
pgtape_operator may execute pgtape.correct_resolution(text,numeric[],text,text)
pgtape_operator may execute pgtape.create_account(text,numeric)
pgtape_operator may execute pgtape.create_invite(bytea,integer,interval,text,text)
pgtape_operator may execute pgtape.create_market(text,text,text[],numeric,timestamp with time zone,text,text,text,numeric[],boolean)
pgtape_operator may execute pgtape.create_sign_in_link(text,bytea,interval,text)
pgtape_operator may execute pgtape.dispute_market(text,text,text)
pgtape_operator may execute pgtape.end_lock_holder(integer,text)
pgtape_operator may execute pgtape.environment()
pgtape_operator may execute pgtape.grant_credits(text,numeric,text,text)
pgtape_operator may execute pgtape.halt_market(text,text,text)
pgtape_operator may execute pgtape.history(text,timestamp with time zone,timestamp with time zone,integer)
pgtape_operator may execute pgtape.holders(text,integer)
pgtape_operator may execute pgtape.invites(text)
pgtape_operator may execute pgtape.map_login(text,text)
pgtape_operator may execute pgtape.market_lock_blockers()
pgtape_operator may execute pgtape.market_lock_holders()
pgtape_operator may execute pgtape.market_page(text,text,text,text,numeric,text,integer,text[],numeric[])
pgtape_operator may execute pgtape.market_preview(integer,numeric,numeric)
pgtape_operator may execute pgtape.may_end_lock_holders()
pgtape_operator may execute pgtape.name_of_account(text)
pgtape_operator may execute pgtape.name_of_market(text)
pgtape_operator may execute pgtape.notifications(text,bigint,integer)
pgtape_operator may execute pgtape.open_market(text,text,text)
pgtape_operator may execute pgtape.people(text,text,integer,text)
pgtape_operator may execute pgtape.propose_resolution(text,numeric[],text,text)
pgtape_operator may execute pgtape.quote(text,text,text,numeric,numeric)
pgtape_operator may execute pgtape.read_notifications(bigint[],text)
pgtape_operator may execute pgtape.remove_comment(bigint,text,text)
pgtape_operator may execute pgtape.resolve_market(text,numeric[],text,text)
pgtape_operator may execute pgtape.revoke_access(text,text)
pgtape_operator may execute pgtape.revoke_invite(bigint,text)
pgtape_operator may execute pgtape.set_environment(text)
pgtape_operator may execute pgtape.set_password(text,text,bytea,text,text,boolean)
pgtape_operator may execute pgtape.set_ranked(text,boolean,text,text)
pgtape_operator may execute pgtape.set_role(text,text,text)
pgtape_operator may execute pgtape.set_setting(text,text)
pgtape_operator may execute pgtape.settlement(text,numeric[])
pgtape_operator may execute pgtape.site_record()
pgtape_operator may execute pgtape.trade(text,text,text,numeric,numeric,numeric,bigint,integer,numeric,numeric,timestamp with time zone,text,text)
pgtape_operator may execute pgtape.trade_batch(jsonb)
pgtape_operator may execute pgtape.trade_batch(text,jsonb)
pgtape_operator may execute pgtape.unranked_accounts(text)
pgtape_operator may execute pgtape.unread_notifications(text)
pgtape_operator may execute pgtape.verify()
pgtape_operator may execute pgtape.void_market(text,text,text)
pgtape_operator may execute pgtape.ways_in(text)
pgtape_operator may execute pgtape_core.avg_price(numeric,numeric,integer)
pgtape_operator may execute pgtape_core.cursor_of(bigint,bytea)
pgtape_operator may execute pgtape_core.holding_part(numeric[],numeric,numeric[],numeric[],integer[],numeric[],integer)
pgtape_operator may execute pgtape_core.holding_value(numeric[],numeric,integer[],numeric[])
pgtape_operator may execute pgtape_core.own_account_id()
pgtape_operator may select pgtape.accounts
pgtape_operator may select pgtape.activity
pgtape_operator may select pgtape.audit
pgtape_operator may select pgtape.categories
pgtape_operator may select pgtape.comments
pgtape_operator may select pgtape.heads
pgtape_operator may select pgtape.leaderboard
pgtape_operator may select pgtape.ledger
pgtape_operator may select pgtape.markets
pgtape_operator may select pgtape.my_account
pgtape_operator may select pgtape.my_ledger
pgtape_operator may select pgtape.my_positions
pgtape_operator may select pgtape.positions
pgtape_operator may select pgtape.rewritings
pgtape_operator may select pgtape.schema_digest
pgtape_operator may select pgtape.settings
pgtape_operator may select pgtape.tape
pgtape_operator may select pgtape.timeline
pgtape_operator may select pgtape.trades
pgtape_operator may select pgtape.value_transfers
pgtape_server may execute pgtape.account_history(text,bigint,integer)
pgtape_server may execute pgtape.account_markets(text)
pgtape_server may execute pgtape.account_profile(text)
pgtape_server may execute pgtape.account_record(text)
pgtape_server may execute pgtape.accounts_to_approve(text)
pgtape_server may execute pgtape.approve_account(text,text)
pgtape_server may execute pgtape.brier_scores(text[])
pgtape_server may execute pgtape.close_market(text,text,text)
pgtape_server may execute pgtape.comment(text,text,text,text)
pgtape_server may execute pgtape.correct_resolution(text,numeric[],text,text)
pgtape_server may execute pgtape.create_account(text,numeric)
pgtape_server may execute pgtape.create_invite(bytea,integer,interval,text,text)
pgtape_server may execute pgtape.create_key(text,text,text,bytea,text[],interval)
pgtape_server may execute pgtape.create_market(text,text,text[],numeric,timestamp with time zone,text,text,text,numeric[],boolean)
pgtape_server may execute pgtape.create_session(text,bytea,interval,text,boolean,text,text,text)
pgtape_server may execute pgtape.create_sign_in_link(text,bytea,interval,text)
pgtape_server may execute pgtape.credential_of(text)
pgtape_server may execute pgtape.delete_account(text,text)
pgtape_server may execute pgtape.delete_session(bytea)
pgtape_server may execute pgtape.delete_sessions(text,bigint,bytea)
pgtape_server may execute pgtape.device_key()
pgtape_server may execute pgtape.dispute_market(text,text,text)
pgtape_server may execute pgtape.end_lock_holder(integer,text)
pgtape_server may execute pgtape.environment()
pgtape_server may execute pgtape.export_account(text)
pgtape_server may execute pgtape.grant_credits(text,numeric,text,text)
pgtape_server may execute pgtape.halt_market(text,text,text)
pgtape_server may execute pgtape.history(text,timestamp with time zone,timestamp with time zone,integer)
pgtape_server may execute pgtape.holders(text,integer)
pgtape_server may execute pgtape.identity_account(text,text)
pgtape_server may execute pgtape.invites(text)
pgtape_server may execute pgtape.is_password(text,text)
pgtape_server may execute pgtape.keep_doorbell_ringing()
pgtape_server may execute pgtape.key_account(bytea)
pgtape_server may execute pgtape.keys_of(text)
pgtape_server may execute pgtape.link_account(bytea)
pgtape_server may execute pgtape.link_identity(text,text,text)
pgtape_server may execute pgtape.market_lock_blockers()
pgtape_server may execute pgtape.market_lock_holders()
pgtape_server may execute pgtape.market_page(text,text,text,text,numeric,text,integer,text[],numeric[])
pgtape_server may execute pgtape.market_preview(integer,numeric,numeric)
pgtape_server may execute pgtape.markets_made(text)
pgtape_server may execute pgtape.may_end_lock_holders()
pgtape_server may execute pgtape.moves(text,text)
pgtape_server may execute pgtape.name_of_account(text)
pgtape_server may execute pgtape.name_of_market(text)
pgtape_server may execute pgtape.notifications(text,bigint,integer)
pgtape_server may execute pgtape.oidc_flow(bytea)
pgtape_server may execute pgtape.open_market(text,text,text)
pgtape_server may execute pgtape.people(text,text,integer,text)
pgtape_server may execute pgtape.probe_write()
pgtape_server may execute pgtape.profit_history(text,timestamp with time zone,integer)
pgtape_server may execute pgtape.propose_resolution(text,numeric[],text,text)
pgtape_server may execute pgtape.put_oidc_flow(bytea,jsonb)
pgtape_server may execute pgtape.quote(text,text,text,numeric,numeric)
pgtape_server may execute pgtape.read_notifications(bigint[],text)
pgtape_server may execute pgtape.remove_comment(bigint,text,text)
pgtape_server may execute pgtape.renew_credential(text,text,text)
pgtape_server may execute pgtape.resolve_market(text,numeric[],text,text)
pgtape_server may execute pgtape.revoke_access(text,text)
pgtape_server may execute pgtape.revoke_invite(bigint,text)
pgtape_server may execute pgtape.revoke_key(text,bigint)
pgtape_server may execute pgtape.session_account(bytea)
pgtape_server may execute pgtape.sessions_of(text,bytea)
pgtape_server may execute pgtape.set_environment(text)
pgtape_server may execute pgtape.set_password(text,text,bytea,text,text,boolean)
pgtape_server may execute pgtape.set_ranked(text,boolean,text,text)
pgtape_server may execute pgtape.set_role(text,text,text)
pgtape_server may execute pgtape.settlement(text,numeric[])
pgtape_server may execute pgtape.sign_up(text,text,bytea,text,text,bytea,text)
pgtape_server may execute pgtape.site_record()
pgtape_server may execute pgtape.take_oidc_flow(bytea)
pgtape_server may execute pgtape.trade(text,text,text,numeric,numeric,numeric,bigint,integer,numeric,numeric,timestamp with time zone,text,text)
pgtape_server may execute pgtape.trade_batch(jsonb)
pgtape_server may execute pgtape.trade_batch(text,jsonb)
pgtape_server may execute pgtape.unlink_identity(text)
pgtape_server may execute pgtape.unranked_accounts(text)
pgtape_server may execute pgtape.unread_notifications(text)
pgtape_server may execute pgtape.use_sign_in_link(bytea,text,bytea,text,boolean)
pgtape_server may execute pgtape.verify()
pgtape_server may execute pgtape.void_market(text,text,text)
pgtape_server may execute pgtape.ways_in(text)
pgtape_server may execute pgtape_core.avg_price(numeric,numeric,integer)
pgtape_server may execute pgtape_core.cursor_of(bigint,bytea)
pgtape_server may execute pgtape_core.holding_part(numeric[],numeric,numeric[],numeric[],integer[],numeric[],integer)
pgtape_server may execute pgtape_core.holding_value(numeric[],numeric,integer[],numeric[])
pgtape_server may execute pgtape_core.own_account_id()
pgtape_server may select pgtape.accounts
pgtape_server may select pgtape.activity
pgtape_server may select pgtape.audit
pgtape_server may select pgtape.categories
pgtape_server may select pgtape.comments
pgtape_server may select pgtape.heads
pgtape_server may select pgtape.leaderboard
pgtape_server may select pgtape.ledger
pgtape_server may select pgtape.markets
pgtape_server may select pgtape.my_account
pgtape_server may select pgtape.my_ledger
pgtape_server may select pgtape.my_positions
pgtape_server may select pgtape.positions
pgtape_server may select pgtape.rewritings
pgtape_server may select pgtape.schema_digest
pgtape_server may select pgtape.settings
pgtape_server may select pgtape.tape
pgtape_server may select pgtape.timeline
pgtape_server may select pgtape.trades
pgtape_server may select pgtape.value_transfers
pgtape_trader may execute pgtape.account_profile(text)
pgtape_trader may execute pgtape.account_record(text)
pgtape_trader may execute pgtape.brier_scores(text[])
pgtape_trader may execute pgtape.close_market(text,text,text)
pgtape_trader may execute pgtape.comment(text,text,text,text)
pgtape_trader may execute pgtape.create_market(text,text,text[],numeric,timestamp with time zone,text,text,text,numeric[],boolean)
pgtape_trader may execute pgtape.dispute_market(text,text,text)
pgtape_trader may execute pgtape.environment()
pgtape_trader may execute pgtape.history(text,timestamp with time zone,timestamp with time zone,integer)
pgtape_trader may execute pgtape.holders(text,integer)
pgtape_trader may execute pgtape.market_page(text,text,text,text,numeric,text,integer,text[],numeric[])
pgtape_trader may execute pgtape.market_preview(integer,numeric,numeric)
pgtape_trader may execute pgtape.name_of_account(text)
pgtape_trader may execute pgtape.name_of_market(text)
pgtape_trader may execute pgtape.notifications(text,bigint,integer)
pgtape_trader may execute pgtape.propose_resolution(text,numeric[],text,text)
pgtape_trader may execute pgtape.quote(text,text,text,numeric,numeric)
pgtape_trader may execute pgtape.read_notifications(bigint[],text)
pgtape_trader may execute pgtape.remove_comment(bigint,text,text)
pgtape_trader may execute pgtape.settlement(text,numeric[])
pgtape_trader may execute pgtape.site_record()
pgtape_trader may execute pgtape.trade(text,text,text,numeric,numeric,numeric,bigint,integer,numeric,numeric,timestamp with time zone,text,text)
pgtape_trader may execute pgtape.trade_batch(jsonb)
pgtape_trader may execute pgtape.trade_batch(text,jsonb)
pgtape_trader may execute pgtape.unread_notifications(text)
pgtape_trader may execute pgtape_core.avg_price(numeric,numeric,integer)
pgtape_trader may execute pgtape_core.cursor_of(bigint,bytea)
pgtape_trader may execute pgtape_core.holding_part(numeric[],numeric,numeric[],numeric[],integer[],numeric[],integer)
pgtape_trader may execute pgtape_core.holding_value(numeric[],numeric,integer[],numeric[])
pgtape_trader may execute pgtape_core.own_account_id()
pgtape_trader may select pgtape.activity
pgtape_trader may select pgtape.categories
pgtape_trader may select pgtape.comments
pgtape_trader may select pgtape.heads
pgtape_trader may select pgtape.leaderboard
pgtape_trader may select pgtape.markets
pgtape_trader may select pgtape.my_account
pgtape_trader may select pgtape.my_ledger
pgtape_trader may select pgtape.my_positions
pgtape_trader may select pgtape.schema_digest
pgtape_trader may select pgtape.settings
pgtape_trader may select pgtape.tape
pgtape_trader may select pgtape.timeline
pgtape_trader may select pgtape.trades
publication pgtape_tape: pgtape_core.tape, insert t update f delete f truncate f
