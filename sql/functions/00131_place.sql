-- +goose Up
-- The parts of pgtape_core.place.

-- check_orders checks orders in themselves, and finds the markets and the accounts that they are for:
-- one for each order, null where it is refused. ids has each account once, ascending; null: there is
-- none.
-- +goose StatementBegin
create or replace function pgtape_core.check_orders(
    orders pgtape_core.order_request[],
    out markets bigint[],
    out accounts bigint[],
    out refusals pgtape_core.refusal[],
    out ids bigint[]
)
    language plpgsql
    stable
as $$
declare
    v_slug    text;
    v_market  bigint;
    v_refusal pgtape_core.refusal;
    v_actor   record;
begin
    refusals := array_fill(null::pgtape_core.refusal, array[cardinality(orders)]);
    -- The server acts for whomever it names: all are found at once, as account_id_of does it. The rest
    -- is acting_account's.
    if pgtape_core.is_server() then
        accounts := array(
            select case
                when o.account ~ '^#[0-9]{1,18}$' then (
                    select a.id
                    from pgtape_core.account a
                    where a.id = substr(o.account, 2)::bigint and a.kind = 'person' and a.gone_at is null
                )
                else (
                    select a.id
                    from pgtape_core.account a
                    where lower(a.handle collate "C") = pgtape_core.identifier(o.account) and a.kind = 'person' and a.gone_at is null
                    order by a.handle = o.account desc
                    limit 1
                )
            end
            from unnest(orders) with ordinality as o
            order by o.ordinality
        );
    end if;

    for i in 1 .. cardinality(orders) loop
        v_refusal := pgtape_core.order_fault(orders[i]);
        if v_refusal.code is null and accounts[i] is null then
            v_actor := pgtape_core.acting_account(orders[i].account);
            accounts[i] := v_actor.account_id;
            v_refusal := v_actor.refusal;
        end if;
        if orders[i].market is distinct from v_slug then
            v_slug := orders[i].market;
            v_market := (select m.id from pgtape_core.market m where m.slug = v_slug);
            if v_market is null then
                v_market := (select m.id from pgtape_core.market m where m.slug = pgtape_core.identifier(v_slug));
            end if;
        end if;
        if v_refusal.code is null and accounts[i] is null then
            v_refusal := (
                'not_found', format('the SQL login %s has no account to trade with', session_user),
                'name one (account => …), or let an operator map one: select pgtape.map_login(…)', null
            )::pgtape_core.refusal;
        elsif v_refusal.code is null and v_market is null then
            v_refusal := pgtape_core.no_market(v_slug);
        end if;
        if v_refusal.code is null then
            markets[i] := v_market;
        else
            markets[i] := null;
            accounts[i] := null;
            refusals[i] := v_refusal;
        end if;
    end loop;
    ids := (select array_agg(distinct a) from unnest(accounts) a where a is not null);
end;
$$;
-- +goose StatementEnd

-- no_market is the refusal of a slug that no market has.
-- +goose StatementBegin
create or replace function pgtape_core.no_market(market text)
    returns pgtape_core.refusal
    language sql
    immutable
as $$
    select 'not_found', 'there is no market ' || coalesce(pgtape_core.excerpt(market), '(null)'), null,
           jsonb_build_object('market', pgtape_core.excerpt(market));
$$;
-- +goose StatementEnd

-- lock_books locks the books of markets by ascending id, each once, and reads them; nulls are none.
-- +goose StatementBegin
create or replace function pgtape_core.lock_books(markets bigint[], patient boolean)
    returns pgtape_core.book[]
    language plpgsql
    volatile
as $$
begin
    if patient then
        return (
            select coalesce(array_agg(x::pgtape_core.book), '{}')
            from (
                select b.*
                from pgtape_core.book b
                where b.market_id = any (markets)
                order by b.market_id
                for no key update
            ) x
        );
    end if;
    return (
        select coalesce(array_agg(x::pgtape_core.book), '{}')
        from (
            select b.*
            from pgtape_core.book b
            where b.market_id = any (markets)
            order by b.market_id
            for no key update skip locked
        ) x
    );
end;
$$;
-- +goose StatementEnd

-- lock_traders locks accounts, which are given by ascending id, and reads what they have. Who is
-- not patient leaves out those that are locked already.
-- +goose StatementBegin
create or replace function pgtape_core.lock_traders(
    ids bigint[],
    patient boolean,
    out locked bigint[],
    out handles text[],
    out balances numeric[]
)
    language plpgsql
    volatile
as $$
begin
    if patient then
        select array_agg(x.id order by x.id), array_agg(x.handle order by x.id), array_agg(x.balance order by x.id)
        into locked, handles, balances
        from (
            select a.id, a.handle, a.balance
            from unnest(ids) as t (id)
            join pgtape_core.account a on a.id = t.id
            order by a.id
            for no key update of a
        ) x;
        return;
    end if;
    select array_agg(x.id order by x.id), array_agg(x.handle order by x.id), array_agg(x.balance order by x.id)
    into locked, handles, balances
    from (
        select a.id, a.handle, a.balance
        from unnest(ids) as t (id)
        join pgtape_core.account a on a.id = t.id
        order by a.id
        for no key update of a skip locked
    ) x;
end;
$$;
-- +goose StatementEnd

-- shares_of gives the shares that accounts hold of each outcome of a market, one account behind the
-- other; null: never any.
-- +goose StatementBegin
create or replace function pgtape_core.shares_of(ids bigint[], market_id bigint, outcomes integer)
    returns numeric[]
    language plpgsql
    stable
as $$
begin
    return array(
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

-- positions_of gives those of the shares held (as shares_of gives them) that have changed, by their
-- places.
-- +goose StatementBegin
create or replace function pgtape_core.positions_of(
    changed integer[],
    ids bigint[],
    held numeric[],
    market pgtape_core.market
)
    returns pgtape_core.position[]
    language plpgsql
    immutable
as $$
declare
    v_outcomes integer := cardinality(market.outcomes);
begin
    return array(
        select (ids[1 + (k - 1) / v_outcomes], market.id, 1 + (k - 1) % v_outcomes, held[k])::pgtape_core.position
        from (select distinct c from unnest(changed) c) as x (k)
    );
end;
$$;
-- +goose StatementEnd

-- trades_of_keys gives the hash of each order that has a key, and the trade that its account has
-- made with this key before; repeated: a key stands in more than one of the orders.
-- +goose StatementBegin
create or replace function pgtape_core.trades_of_keys(
    orders pgtape_core.order_request[],
    accounts bigint[],
    out hashes bytea[],
    out trades pgtape_core.trade[],
    out repeated boolean
)
    language plpgsql
    volatile
as $$
declare
    v_keys text[] := array_fill(null::text, array[cardinality(orders)]);
begin
    repeated := false;
    for i in 1 .. cardinality(orders) loop
        if accounts[i] is not null and orders[i].idempotency_key is not null then
            hashes[i] := pgtape_core.request_hash(orders[i]);
            v_keys[i] := orders[i].idempotency_key;
        end if;
    end loop;
    if hashes is null then
        return;
    end if;
    select array_agg(x.trade order by x.i),
           count(x.key) > count(distinct (x.account, x.key)) filter (where x.key is not null)
    into trades, repeated
    from (
        select k.i, k.account, k.key, (
            select t from pgtape_core.trade t where t.account_id = k.account and t.idempotency_key collate "C" = k.key
        ) as trade
        from unnest(accounts, v_keys) with ordinality as k (account, key, i)
    ) x;
end;
$$;
-- +goose StatementEnd

-- cannot_settle refuses what the account cannot pay or does not hold; no code: it can. Of complete
-- sets there are as many as shares of the rarest outcome.
-- +goose StatementBegin
create or replace function pgtape_core.cannot_settle(
    account text,
    balance numeric,
    held numeric[],
    first_held integer,
    last_held integer,
    q pgtape_core.quote
)
    returns pgtape_core.refusal
    language plpgsql
    immutable
as $$
declare
    v_held numeric;
begin
    if q.side = 'buy' then
        if balance >= q.amount then
            return null;
        end if;
        return (
            'insufficient_funds', format('it costs %s credits, the account %s has %s', q.amount, account, balance),
            format('buy fewer shares, or spend at most %s', balance), jsonb_build_object('amount', q.amount::text, 'balance', balance::text)
        )::pgtape_core.refusal;
    end if;

    v_held := coalesce(pgtape_core.least_of(held, first_held, last_held), 0);
    if v_held >= q.shares then
        return null;
    end if;
    return (
        'insufficient_shares', format('the account %s holds %s shares of %s', account, v_held, q.outcome),
        case when v_held > 0 then format('sell at most %s; ', v_held) else '' end
            || 'there is no short selling: to bet against an outcome, buy the other',
        jsonb_build_object('held', v_held::text)
    )::pgtape_core.refusal;
end;
$$;
-- +goose StatementEnd

-- least_of gives the least of some numbers; null if one of them is null.
-- +goose StatementBegin
create or replace function pgtape_core.least_of(numbers numeric[], first_number integer, last_number integer)
    returns numeric
    language plpgsql
    immutable
as $$
declare
    v_least numeric := numbers[first_number];
begin
    for i in first_number + 1 .. last_number loop
        v_least := case when numbers[i] < v_least then numbers[i] when numbers[i] >= v_least then v_least end;
    end loop;
    return v_least;
end;
$$;
-- +goose StatementEnd

-- json_trade gives the body of a trade's event.
-- +goose StatementBegin
create or replace function pgtape_core.json_trade(
    t pgtape_core.trade,
    outcome text,
    account text,
    outcomes text[],
    prices numeric[]
)
    returns text
    language plpgsql
    immutable
as $$
begin
    return '{"trade":{"id":' || t.id || ',"account":' || to_json(account)
        || ',"outcome":' || to_json(outcome) || ',"side":"' || t.side
        || '","shares":"' || t.shares || '","amount":"' || t.amount
        || '","avg_price":"' || pgtape_core.avg_price(t.amount, t.shares, 6)
        || '"},"prices":' || pgtape_core.json_by_outcome(outcomes, prices) || '}';
end;
$$;
-- +goose StatementEnd

-- receipt_of gives a trade as its receipt.
-- +goose StatementBegin
create or replace function pgtape_core.receipt_of(
    t pgtape_core.trade,
    market text,
    outcome text,
    account text,
    replayed boolean
)
    returns pgtape_core.receipt
    language plpgsql
    immutable
as $$
begin
    return (
        market, t.seq, outcome, t.side, t.shares, t.amount, pgtape_core.avg_price(t.amount, t.shares),
        t.price_before, t.price_after, t.id, account, t.balance, t."position", t.at, replayed
    )::pgtape_core.receipt;
end;
$$;
-- +goose StatementEnd

-- write_trades writes trades with all that they moved. The caller has locked books and accounts.
-- Writes: trade, ledger_entry, account, position.
-- +goose StatementBegin
create or replace function pgtape_core.write_trades(trades pgtape_core.trade[], positions pgtape_core.position[])
    returns void
    language plpgsql
    volatile
as $$
begin
    insert into pgtape_core.trade overriding system value select t.* from unnest(trades) t;

    with paid as (
        select t.account_id, m.account_id as market_account_id, t.market_id, t.seq, t.at,
               case t.side when 'buy' then t.amount else -t.amount end as amount,
               nextval('pgtape_core.ledger_transaction') as transaction_id
        from unnest(trades) t
        join pgtape_core.market m on m.id = t.market_id
        where t.amount <> 0
    ), entry as (
        insert into pgtape_core.ledger_entry (transaction_id, account_id, amount, kind, market_id, seq, at)
        select p.transaction_id, e.account_id, e.amount, 'trade', p.market_id, p.seq, p.at
        from paid p
        cross join lateral (values (p.account_id, -p.amount), (p.market_account_id, p.amount)) as e (account_id, amount)
        returning account_id, amount
    )
    update pgtape_core.account a
    set balance = a.balance + e.amount
    from (select x.account_id, sum(x.amount) as amount from entry x group by x.account_id) e
    where a.id = e.account_id;

    insert into pgtape_core.position as p (account_id, market_id, outcome, shares)
    select n.* from unnest(positions) n
    on conflict (account_id, market_id, outcome) do update set shares = excluded.shares;
end;
$$;
-- +goose StatementEnd
