-- +goose Up
-- place carries out one order, or returns why not; refused orders have written nothing. It holds
-- the rules of a trade: every door to trading goes through it.
-- Locks:  the market's book, then the account.
-- Writes: trade, position, ledger_entry (kind 'trade'), account, book, tape (kind 'trade').
-- +goose StatementBegin
create or replace function pgtape_core.place(
    o pgtape_core.order_request,
    out receipt pgtape_core.receipt,
    out refusal pgtape_core.refusal
)
    language plpgsql
    volatile
    set search_path = ''
as $$
declare
    v_hash    bytea;
    v_market  pgtape_core.market;
    v_book    pgtape_core.book;
    v_actor   record;
    v_account pgtape_core.account;
    v_now     timestamptz;
    v_priced  record;
    v_trade   pgtape_core.trade;
begin
    -- 1. Check the order in itself, and who asks.
    refusal := pgtape_core.order_fault(o);
    if refusal.code is not null then
        return;
    end if;
    v_actor := pgtape_core.acting_account(o.account);
    refusal := v_actor.refusal;
    if refusal.code is null and v_actor.account_id is null then
        refusal := (
            'not_found', format('the SQL login %s has no account to trade with', session_user),
            'name one (account => …), or let an operator map one: select pgtape.map_login(…)', null
        )::pgtape_core.refusal;
    end if;
    if refusal.code is not null then
        return;
    end if;

    -- 2. Lock. One market's trades happen one after the other; others are untouched.
    select m.* into v_market from pgtape_core.market m where m.slug = o.market;
    if v_market.id is null then
        refusal := pgtape_core.no_market(o.market);
        return;
    end if;
    select b.* into v_book from pgtape_core.book b where b.market_id = v_market.id for no key update;
    select a.* into v_account from pgtape_core.account a where a.id = v_actor.account_id for no key update;
    v_now := clock_timestamp();

    -- 3. Repeat: the key's first receipt, whatever has happened to the market since.
    if o.idempotency_key is not null then
        v_hash := pgtape_core.request_hash(o);
        select t.* into v_trade
        from pgtape_core.trade t
        where t.account_id = v_account.id and t.idempotency_key = o.idempotency_key;
        if v_trade.id is not null and v_trade.request_hash <> v_hash then
            refusal := (
                'idempotency_mismatch', 'this idempotency key was used for another order',
                'use a new key for a new order', null
            )::pgtape_core.refusal;
            return;
        elsif v_trade.id is not null then
            receipt := pgtape_core.receipt_of(v_trade, v_market, v_account.handle, true);
            return;
        end if;
    end if;

    -- 4. Check by the state and the clock that the lock guarantees; price; hold to the bounds.
    refusal := pgtape_core.closed_to_orders(v_market, v_book, v_now);
    if refusal.code is null and o.deadline < v_now then
        refusal := (
            'deadline_passed', format('the deadline %s has passed', pgtape_core.json_time(o.deadline)),
            'quote again', null
        )::pgtape_core.refusal;
    end if;
    if refusal.code is not null then
        return;
    end if;
    v_priced := pgtape_core.price_order(v_market, v_book, o);
    refusal := v_priced.refusal;
    if refusal.code is null then
        refusal := pgtape_core.stale_quote(o, v_priced.quote);
    end if;
    if refusal.code is null then
        refusal := pgtape_core.cannot_settle(
            v_account, v_market.id, cardinality(v_market.outcomes), v_priced.outcome, v_priced.quote
        );
    end if;
    if refusal.code is not null then
        return;
    end if;

    -- 5. Act.
    v_trade.market_id := v_market.id;
    v_trade.seq := v_book.version + 1;
    v_trade.account_id := v_account.id;
    v_trade.outcome := v_priced.outcome;
    v_trade.at := v_now;
    v_trade.request_hash := v_hash;
    v_trade := pgtape_core.settle(v_trade, o, v_priced.quote, v_account, v_market);

    -- 6. Announce: the event and the state carry the same seq.
    v_book.outstanding := v_priced.outstanding;
    v_book.prices := v_priced.prices;
    v_book.volume := v_book.volume + v_trade.amount;
    v_book.trades := v_book.trades + 1;
    v_book := pgtape_core.advance(
        v_market.slug, v_book, v_now, 'trade',
        '{"trade":{"id":' || v_trade.id || ',"account":' || to_json(v_account.handle)
            || ',"outcome":' || to_json(o.outcome) || ',"side":"' || o.side
            || '","shares":"' || v_trade.shares || '","amount":"' || v_trade.amount
            || '","avg_price":"' || pgtape_core.avg_price(v_trade.amount, v_trade.shares, 6)
            || '"},"prices":' || pgtape_core.json_by_outcome(v_market.outcomes, v_book.prices) || '}'
    );
    receipt := pgtape_core.receipt_of(v_trade, v_market, v_account.handle, false);
end;
$$;
-- +goose StatementEnd

-- no_market is the refusal of a slug that no market has.
-- +goose StatementBegin
create or replace function pgtape_core.no_market(market text)
    returns pgtape_core.refusal
    language sql
    immutable
    set search_path = ''
as $$
    select 'not_found', 'there is no market ' || coalesce(market, '(null)'), null,
           jsonb_build_object('market', market);
$$;
-- +goose StatementEnd

-- cannot_settle refuses what the account cannot pay or does not hold; no code: it can.
-- +goose StatementBegin
create or replace function pgtape_core.cannot_settle(
    account pgtape_core.account,
    market_id bigint,
    outcomes integer,
    outcome integer,
    q pgtape_core.quote
)
    returns pgtape_core.refusal
    language plpgsql
    stable
    set search_path = ''
as $$
declare
    v_held numeric;
begin
    if q.side = 'buy' then
        if account.balance >= q.amount then
            return null;
        end if;
        return (
            'insufficient_funds', format('it costs %s credits, the account %s has %s', q.amount, account.handle, account.balance),
            'buy fewer shares', jsonb_build_object('amount', q.amount::text, 'balance', account.balance::text)
        )::pgtape_core.refusal;
    end if;

    -- Of complete sets there are as many as shares of the rarest outcome.
    select case when cannot_settle.outcome is not null or count(*) = cannot_settle.outcomes then min(p.shares) end
    into v_held
    from pgtape_core.position p
    where p.account_id = account.id
        and p.market_id = cannot_settle.market_id
        and p.outcome = coalesce(cannot_settle.outcome, p.outcome);
    v_held := coalesce(v_held, 0);
    if v_held >= q.shares then
        return null;
    end if;
    return (
        'insufficient_shares', format('the account %s holds %s shares of %s', account.handle, v_held, q.outcome),
        'there is no short selling: to bet against an outcome, buy the other',
        jsonb_build_object('held', v_held::text)
    )::pgtape_core.refusal;
end;
$$;
-- +goose StatementEnd

-- settle moves the shares and the credits of a trade, and records it with every bound it was
-- given. The caller has locked the book and the account, and checked that both can.
-- Writes: position, ledger_entry, account, trade.
-- +goose StatementBegin
create or replace function pgtape_core.settle(
    trade pgtape_core.trade,
    o pgtape_core.order_request,
    q pgtape_core.quote,
    account pgtape_core.account,
    market pgtape_core.market
)
    returns pgtape_core.trade
    language plpgsql
    volatile
    set search_path = ''
as $$
begin
    if q.side = 'buy' then
        with held as (
            insert into pgtape_core.position as p (account_id, market_id, outcome, shares)
            select trade.account_id, trade.market_id, i, q.shares
            from generate_series(coalesce(trade.outcome, 1), coalesce(trade.outcome, cardinality(market.outcomes))) i
            on conflict (account_id, market_id, outcome) do update set shares = p.shares + excluded.shares
            returning p.shares
        )
        select min(h.shares) into trade."position" from held h;
        perform pgtape_core.transfer('trade', trade.account_id, market.account_id, q.amount, trade.at, trade.market_id, trade.seq);
        trade.balance := account.balance - q.amount;
    else
        with held as (
            update pgtape_core.position p
            set shares = p.shares - q.shares
            where p.account_id = trade.account_id
                and p.market_id = trade.market_id
                and p.outcome = coalesce(trade.outcome, p.outcome)
            returning p.shares
        )
        select min(h.shares) into trade."position" from held h;
        perform pgtape_core.transfer('trade', market.account_id, trade.account_id, q.amount, trade.at, trade.market_id, trade.seq);
        trade.balance := account.balance + q.amount;
    end if;

    insert into pgtape_core.trade as t (
        market_id, seq, account_id, outcome, side, shares, amount, price_before, price_after, balance, "position", at,
        spend, expected_price, expected_version, max_slippage_bps, max_cost, min_proceeds, deadline,
        idempotency_key, request_hash
    )
    values (
        trade.market_id, trade.seq, trade.account_id, trade.outcome, q.side, q.shares, q.amount, q.price_before,
        q.price_after, trade.balance, trade."position", trade.at,
        o.spend, o.expected_price, o.expected_version, o.max_slippage_bps, o.max_cost, o.min_proceeds, o.deadline,
        o.idempotency_key, trade.request_hash
    )
    returning t.* into trade;
    return trade;
end;
$$;
-- +goose StatementEnd

-- receipt_of gives a trade as its receipt.
-- +goose StatementBegin
create or replace function pgtape_core.receipt_of(
    t pgtape_core.trade,
    m pgtape_core.market,
    account text,
    replayed boolean
)
    returns pgtape_core.receipt
    language sql
    immutable
    set search_path = ''
as $$
    select m.slug, t.seq, coalesce(m.outcomes[t.outcome], '*'), t.side, t.shares, t.amount,
           pgtape_core.avg_price(t.amount, t.shares)::numeric(13, 12), t.price_before, t.price_after,
           t.id, account, t.balance, t."position", t.at, replayed;
$$;
-- +goose StatementEnd

-- quote tells what an order would do to the market as it stands. It promises nothing: the bounds
-- of pgtape.trade do. Anybody may ask.
-- Raises: TP002 market not open, TP004 nobody holds as much, TP007 no such market or outcome, TP008 bad order.
-- +goose StatementBegin
create or replace function pgtape.quote(
    market text,
    outcome text,
    side text,
    shares numeric default null,
    spend numeric default null
)
    returns pgtape_core.quote
    language plpgsql
    stable
    security definer
    set search_path = ''
as $$
declare
    v_order  pgtape_core.order_request;
    v_market pgtape_core.market;
    v_book   pgtape_core.book;
    v_priced record;
begin
    v_order.market := market;
    v_order.outcome := outcome;
    v_order.side := side;
    v_order.shares := shares;
    v_order.spend := spend;
    -- A question needs no bound: it is checked as an order that accepts any price.
    v_order.expected_price := case side when 'sell' then 0 else 1 end;
    v_order.max_slippage_bps := 0;
    perform pgtape_core.raise_refusal(pgtape_core.order_fault(v_order));

    select m.* into v_market from pgtape_core.market m where m.slug = v_order.market;
    if v_market.id is null then
        perform pgtape_core.raise_refusal(pgtape_core.no_market(market));
    end if;
    select b.* into v_book from pgtape_core.book b where b.market_id = v_market.id;
    perform pgtape_core.raise_refusal(pgtape_core.closed_to_orders(v_market, v_book, clock_timestamp()));

    v_priced := pgtape_core.price_order(v_market, v_book, v_order);
    perform pgtape_core.raise_refusal(v_priced.refusal);
    return v_priced.quote;
end;
$$;
-- +goose StatementEnd

-- trade buys or sells shares of one outcome, within the bounds given, or raises and writes nothing.
-- Locks:  the market's book, then the account.
-- Writes: trade, position, ledger_entry, account, book, tape.
-- Raises: TP001 a bound fails (DETAIL has a fresh quote), TP002 market not open, TP003 funds,
--         TP004 shares, TP005 deadline, TP006 key used for another order, TP007 no such market,
--         outcome or account, TP008 bad order, TP009 another's account.
-- +goose StatementBegin
create or replace function pgtape.trade(
    market text,
    outcome text,
    side text,
    shares numeric default null,
    spend numeric default null,
    expected_price numeric default null,
    expected_version bigint default null,
    max_slippage_bps integer default null,
    max_cost numeric default null,
    min_proceeds numeric default null,
    deadline timestamptz default null,
    idempotency_key text default null,
    account text default null
)
    returns pgtape_core.receipt
    language plpgsql
    volatile
    security definer
    set search_path = ''
as $$
declare
    v_placed record;
begin
    v_placed := pgtape_core.place((
        market, outcome, side, shares, spend, expected_price, expected_version, max_slippage_bps, max_cost,
        min_proceeds, deadline, idempotency_key, account
    )::pgtape_core.order_request);
    perform pgtape_core.raise_refusal(v_placed.refusal);
    return v_placed.receipt;
end;
$$;
-- +goose StatementEnd
