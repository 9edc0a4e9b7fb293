-- +goose Up
-- fill_orders fills the orders of one market in their turn. It writes nothing: it returns what place
-- writes. asked, traders and keys are what check_orders, lock_traders and trades_of_keys return;
-- at: places of the market's orders among all; receipts and refusals stand in this order.
-- +goose StatementBegin
create or replace function pgtape_core.fill_orders(
    orders pgtape_core.order_request[],
    at integer[],
    asked record,
    traders record,
    keys record,
    inout book pgtape_core.book,
    inout balances numeric[],
    out receipts pgtape_core.receipt[],
    out refusals pgtape_core.refusal[],
    out trades pgtape_core.trade[],
    out events pgtape_core.tape[],
    out positions pgtape_core.position[]
)
    language plpgsql
    volatile
as $$
declare
    v_market   pgtape_core.market;
    v_outcomes integer;
    v_before   record;
    v_held     numeric[];
    v_cost     numeric;
    v_trader   integer;
    v_base     integer;
    v_trade    pgtape_core.trade;
    v_filled   pgtape_core.filled_order;
begin
    select m.* into v_market from pgtape_core.market m where m.id = book.market_id;
    v_outcomes := cardinality(v_market.outcomes);
    v_before := pgtape_core.shares_of(traders.markets, asked.accounts, v_market.id, v_outcomes);
    v_held := v_before.shares;
    for n in 1 .. cardinality(at) loop
        v_trader := array_position(traders.ids, asked.accounts[at[n]]);
        v_base := (array_position(v_before.ids, asked.accounts[at[n]]) - 1) * v_outcomes;
        v_trade := case when not keys.repeated then keys.trades[at[n]]
            else pgtape_core.trade_of_key(keys.trades[at[n]], trades, asked.accounts[at[n]], orders[at[n]]) end;
        v_filled := case when v_trade.id is not null then pgtape_core.repeat_trade(v_trade, keys.hashes[at[n]])
            else pgtape_core.fill_order(
                orders[at[n]], v_market, traders.ids[v_trader], traders.handles[v_trader], balances[v_trader],
                v_held, v_base, keys.hashes[at[n]], book, v_cost
            ) end;
        v_trade := v_filled.trade;
        refusals := refusals || v_filled.refusal;
        receipts := receipts || pgtape_core.receipt_of(
            v_trade, v_market.slug, v_market.outcomes, traders.handles[v_trader], v_filled.event is null
        );
        continue when v_filled.event is null;
        for k in v_base + coalesce(v_trade.outcome, 1) .. v_base + coalesce(v_trade.outcome, v_outcomes) loop
            v_held[k] := coalesce(v_held[k], 0) + case v_trade.side when 'buy' then 1 else -1 end * v_trade.shares;
        end loop;
        balances[v_trader] := v_trade.balance;
        book := v_filled.book;
        v_cost := v_filled.cost;
        trades := trades || v_trade;
        events := events || v_filled.event;
    end loop;
    positions := pgtape_core.positions_of(v_before.ids, v_before.shares, v_held, v_market.id, v_outcomes);
end;
$$;
-- +goose StatementEnd

-- fill_order fills one order of an account against the state of its market, or refuses it. It writes
-- nothing: it returns what place writes, and the state that the next order finds.
-- Complete sets cost nothing to buy and redeem: they move no price, and are no volume.
-- held: shares that traders hold of each outcome; those of the account stand behind before_held.
-- cost: C at the state, if it is known, and C after the order.
-- +goose StatementBegin
create or replace function pgtape_core.fill_order(
    o pgtape_core.order_request,
    m pgtape_core.market,
    account_id bigint,
    account text,
    balance numeric,
    held numeric[],
    before_held integer,
    request_hash bytea,
    book pgtape_core.book,
    cost numeric
)
    returns pgtape_core.filled_order
    language plpgsql
    volatile
as $$
declare
    v_now    timestamptz := clock_timestamp();
    v_priced pgtape_core.priced_order;
    v_held   numeric;
    v_trade  pgtape_core.trade;
    v_event  pgtape_core.tape;
begin
    -- 1. Check by the state and the clock that the lock guarantees; price; hold to the bounds.
    v_priced := pgtape_core.price_order(
        m.slug, book.version, m.outcomes, m.liquidity, o.outcome, o.side, o.shares, o.spend,
        book.outstanding, book.prices, cost
    );
    v_held := pgtape_core.held_of(held, before_held, v_priced.outcome, cardinality(m.outcomes));
    v_priced.refusal := coalesce(
        pgtape_core.closed_error(m.slug, book.status, m.closes_at, o.deadline, v_now),
        v_priced.refusal,
        pgtape_core.stale_quote(o, v_priced.quote),
        pgtape_core.funds_error(
            account, balance, v_held, o.side, (v_priced.quote).outcome, (v_priced.quote).shares, (v_priced.quote).amount
        )
    );
    if v_priced.refusal is distinct from null then
        return (null, null, null, null, v_priced.refusal)::pgtape_core.filled_order;
    end if;

    -- 2. Act, and announce: the event and the state carry the same seq.
    v_trade := pgtape_core.trade_of(
        o, m.id, book.version + 1, account_id, v_priced.outcome, (v_priced.quote).shares, (v_priced.quote).amount,
        (v_priced.quote).price_before, (v_priced.quote).price_after, balance, v_held, v_now, request_hash
    );
    book.outstanding := v_priced.outstanding;
    book.prices := v_priced.prices;
    book.volume := book.volume + case when v_trade.outcome is null then 0 else v_trade.amount end;
    book.trades := book.trades + case when v_trade.outcome is null then 0 else 1 end;
    v_event := pgtape_core.trade_event(
        m.slug, book.version, book.head, v_now, v_trade.id, account, (v_priced.quote).outcome, o.side, v_trade.shares,
        v_trade.amount, m.outcomes, book.prices
    );
    book.version := v_event.seq;
    book.head := v_event.hash;
    book.updated_at := v_now;
    return (v_trade, v_event, book, v_priced.cost, null)::pgtape_core.filled_order;
end;
$$;
-- +goose StatementEnd

-- trade_of_key gives the trade that an account has made with the key of an order: the earlier one, or
-- else one of trades; no id: there is none.
-- +goose StatementBegin
create or replace function pgtape_core.trade_of_key(
    earlier pgtape_core.trade,
    trades pgtape_core.trade[],
    account_id bigint,
    o pgtape_core.order_request
)
    returns pgtape_core.trade
    language plpgsql
    immutable
as $$
begin
    if earlier.id is not null then
        return earlier;
    end if;
    return (
        select t
        from unnest(trades) t
        where t.account_id = trade_of_key.account_id and t.idempotency_key = o.idempotency_key
    );
end;
$$;
-- +goose StatementEnd

-- repeat_trade is fill_order for an order whose key has been used: the key's first trade, whatever has
-- happened to the market since, or a refusal, if the key was used for another order.
-- +goose StatementBegin
create or replace function pgtape_core.repeat_trade(
    earlier pgtape_core.trade,
    request_hash bytea
)
    returns pgtape_core.filled_order
    language plpgsql
    immutable
as $$
begin
    if earlier.request_hash = request_hash then
        return (earlier, null, null, null, null)::pgtape_core.filled_order;
    end if;
    return (null, null, null, null, (
        'idempotency_mismatch', 'this idempotency key was used for another order',
        'use a new key for a new order', null
    )::pgtape_core.refusal)::pgtape_core.filled_order;
end;
$$;
-- +goose StatementEnd

-- shares_of gives the accounts that have orders for a market, and the shares that they hold of each
-- outcome, one account behind the other; null: never any.
-- +goose StatementBegin
create or replace function pgtape_core.shares_of(
    markets bigint[],
    accounts bigint[],
    market_id bigint,
    outcomes integer,
    out ids bigint[],
    out shares numeric[]
)
    language plpgsql
    stable
as $$
begin
    ids := accounts;
    if cardinality(accounts) > 1 then
        ids := array(
            select distinct a.id
            from unnest(markets, accounts) as a (market_id, id)
            where a.market_id = shares_of.market_id
        );
    end if;
    shares := array(
        select (
            select p.shares
            from pgtape_core.position p
            where p.account_id = t.id and p.market_id = shares_of.market_id and p.outcome = o.i
        )
        from unnest(ids) with ordinality as t (id, n)
        cross join generate_series(1, outcomes) as o (i)
        order by t.n, o.i
    );
end;
$$;
-- +goose StatementEnd

-- positions_of gives those of the shares held (as shares_of gives them) that have changed since.
-- +goose StatementBegin
create or replace function pgtape_core.positions_of(
    ids bigint[],
    shares numeric[],
    held numeric[],
    market_id bigint,
    outcomes integer
)
    returns pgtape_core.position[]
    language plpgsql
    immutable
as $$
begin
    return array(
        select (ids[1 + (x.i - 1) / outcomes], market_id, 1 + (x.i - 1) % outcomes, x.held)::pgtape_core.position
        from unnest(shares, held) with ordinality as x (shares, held, i)
        where x.held is distinct from x.shares
    );
end;
$$;
-- +goose StatementEnd

-- held_of gives what an account holds of an outcome, or, for complete sets, of its rarest one; null: of
-- one it never had any. Its shares of a market's outcomes stand behind the place before_held.
-- +goose StatementBegin
create or replace function pgtape_core.held_of(
    held numeric[],
    before_held integer,
    outcome integer,
    outcomes integer
)
    returns numeric
    language plpgsql
    immutable
as $$
declare
    v_least numeric := held[before_held + coalesce(outcome, 1)];
begin
    if outcome is not null then
        return v_least;
    end if;
    for i in before_held + 2 .. before_held + outcomes loop
        v_least := case when held[i] < v_least then held[i] when held[i] >= v_least then v_least end;
    end loop;
    return v_least;
end;
$$;
-- +goose StatementEnd

-- funds_error refuses what the account cannot pay or does not hold; no code: it can. Of complete
-- sets there are as many as shares of the rarest outcome.
-- +goose StatementBegin
create or replace function pgtape_core.funds_error(
    account text,
    balance numeric,
    held numeric,
    side text,
    outcome text,
    shares numeric,
    amount numeric
)
    returns pgtape_core.refusal
    language plpgsql
    immutable
as $$
begin
    if side = 'buy' then
        if balance >= amount then
            return null;
        end if;
        return (
            'insufficient_funds', format('it costs %s credits, the account %s has %s', amount, account, balance),
            format('buy fewer shares, or spend at most %s', balance),
            jsonb_build_object('amount', amount::text, 'balance', balance::text)
        )::pgtape_core.refusal;
    end if;

    held := coalesce(held, 0);
    if held >= shares then
        return null;
    end if;
    return (
        'insufficient_shares', format('the account %s holds %s shares of %s', account, held, outcome),
        case when held > 0 then format('sell at most %s; ', held) else '' end
            || 'there is no short selling: to bet against an outcome, buy the other',
        jsonb_build_object('held', held::text)
    )::pgtape_core.refusal;
end;
$$;
-- +goose StatementEnd

-- trade_of makes a trade of an order that is filled. balance and held are the account's before it.
-- +goose StatementBegin
create or replace function pgtape_core.trade_of(
    o pgtape_core.order_request,
    market_id bigint,
    seq bigint,
    account_id bigint,
    outcome integer,
    shares numeric,
    amount numeric,
    price_before numeric,
    price_after numeric,
    balance numeric,
    held numeric,
    at timestamptz,
    request_hash bytea
)
    returns pgtape_core.trade
    language plpgsql
    volatile
as $$
declare
    v_sign integer := case o.side when 'buy' then 1 else -1 end;
begin
    return (
        nextval('pgtape_core.trade_id_seq'), market_id, seq, account_id, outcome, o.side, shares, amount,
        price_before, price_after, balance - v_sign * amount, coalesce(held, 0) + v_sign * shares, at,
        o.spend, o.expected_price, o.expected_version, o.max_slippage_bps, o.max_cost, o.min_proceeds, o.deadline,
        o.idempotency_key, request_hash
    )::pgtape_core.trade;
end;
$$;
-- +goose StatementEnd

-- trade_event is next_event for a trade.
-- +goose StatementBegin
create or replace function pgtape_core.trade_event(
    market text,
    seq bigint,
    hash bytea,
    at timestamptz,
    id bigint,
    account text,
    outcome text,
    side text,
    shares numeric,
    amount numeric,
    outcomes text[],
    prices numeric[]
)
    returns pgtape_core.tape
    language plpgsql
    immutable
as $$
begin
    return pgtape_core.next_event(
        market, seq, hash, at, 'trade',
        '{"trade":{"id":' || id || ',"account":' || to_json(account) || ',"outcome":' || to_json(outcome)
            || ',"side":"' || side || '","shares":"' || shares || '","amount":"' || amount
            || '","avg_price":"' || pgtape_core.avg_price(amount, shares, 6)
            || '"},"prices":' || pgtape_core.json_by_outcome(outcomes, prices) || '}'
    );
end;
$$;
-- +goose StatementEnd

-- receipt_of gives a trade as its receipt; null: of no trade.
-- +goose StatementBegin
create or replace function pgtape_core.receipt_of(
    t pgtape_core.trade,
    market text,
    outcomes text[],
    account text,
    replayed boolean
)
    returns pgtape_core.receipt
    language plpgsql
    immutable
    strict
as $$
begin
    return (
        market, t.seq, coalesce(outcomes[t.outcome], '*'), t.side, t.shares, t.amount,
        pgtape_core.avg_price(t.amount, t.shares), t.price_before, t.price_after, t.id, account, t.balance,
        t."position", t.at, replayed
    )::pgtape_core.receipt;
end;
$$;
-- +goose StatementEnd
