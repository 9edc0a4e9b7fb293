-- +goose Up
-- place carries out orders, those of each market in their turn: each comes to a receipt, or to a
-- refusal and has written nothing. Every entry point of trading calls it. With wait it waits for the
-- locks that it needs; without, it leaves out orders whose market or account somebody else has locked:
-- they get neither a receipt nor a refusal.
--
-- Each statement is planned once, for any number of orders, and finds rows by their keys, whatever
-- the planner thinks of arrays and of tables that are still small: hence the settings.
-- Locks:  the books of the markets, then the accounts of the orders, each by ascending id.
-- Writes: trade, position, ledger_entry (kind 'trade'), account, book, tape (kind 'trade').
-- +goose StatementBegin
create or replace function pgtape_core.place(
    orders pgtape_core.order_request[],
    wait boolean,
    out receipts pgtape_core.receipt[],
    out refusals pgtape_core.refusal[]
)
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
    set plan_cache_mode = force_generic_plan
    set enable_seqscan = off
    set enable_hashjoin = off
    set enable_mergejoin = off
    set jit = off
as $$
declare
    v_asked     record := pgtape_core.check_orders(orders);
    v_locked    pgtape_core.book[];
    v_traders   record;
    v_keyed     record;
    v_book      pgtape_core.book;
    v_at        integer[];
    v_filled    record;
    v_trades    pgtape_core.trade[] := '{}';
    v_positions pgtape_core.position[] := '{}';
    v_events    pgtape_core.tape[] := '{}';
    v_books     pgtape_core.book[] := '{}';
begin
    receipts := array_fill(null::pgtape_core.receipt, array[cardinality(orders)]);
    refusals := v_asked.refusals;
    if v_asked.ids is null then
        return;
    end if;
    -- 1. Lock. One market's trades happen one after the other; others are untouched.
    v_locked := pgtape_core.lock_books(v_asked.markets, wait);
    v_traders := pgtape_core.lock_traders(v_asked, wait);
    v_keyed := pgtape_core.trades_of_keys(orders, v_asked.accounts);

    -- 2. Fill. Each order sees what those before it have done.
    foreach v_book in array v_locked loop
        v_at := array_positions(v_traders.markets, v_book.market_id);
        v_filled := pgtape_core.fill_orders(orders, v_at, v_asked, v_traders, v_keyed, v_book, v_traders.balances);
        for k in 1 .. cardinality(v_at) loop
            receipts[v_at[k]] := v_filled.receipts[k];
            refusals[v_at[k]] := v_filled.refusals[k];
        end loop;
        continue when v_filled.trades is null;
        v_traders.balances := v_filled.balances;
        v_trades := v_trades || v_filled.trades;
        v_positions := v_positions || v_filled.positions;
        v_events := v_events || v_filled.events;
        v_books := v_books || v_filled.book;
    end loop;

    -- 3. Write what has changed: the event and the state carry the same seq.
    if v_books <> '{}' then
        perform pgtape_core.write_trades(v_trades, v_positions, v_events, v_books);
    end if;
end;
$$;
-- +goose StatementEnd

-- lock_books locks the books of markets by ascending id, each once, and reads them; nulls are none.
-- +goose StatementBegin
create or replace function pgtape_core.lock_books(markets bigint[], wait boolean)
    returns pgtape_core.book[]
    language plpgsql
    volatile
as $$
begin
    if wait then
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

-- lock_traders locks the accounts of orders by ascending id and reads them. markets are those of the
-- orders whose account is locked: without wait it leaves out accounts that somebody else has locked.
-- +goose StatementBegin
create or replace function pgtape_core.lock_traders(
    asked record,
    wait boolean,
    out ids bigint[],
    out handles text[],
    out balances numeric[],
    out markets bigint[]
)
    language plpgsql
    volatile
as $$
begin
    if wait then
        select array_agg(x.id), array_agg(x.handle), array_agg(x.balance)
        into ids, handles, balances
        from (
            select a.id, a.handle, a.balance
            from unnest(asked.ids) as t (id)
            join pgtape_core.account a on a.id = t.id
            order by a.id
            for no key update of a
        ) x;
        markets := asked.markets;
        return;
    end if;
    select array_agg(x.id), array_agg(x.handle), array_agg(x.balance)
    into ids, handles, balances
    from (
        select a.id, a.handle, a.balance
        from unnest(asked.ids) as t (id)
        join pgtape_core.account a on a.id = t.id
        order by a.id
        for no key update of a skip locked
    ) x;
    markets := array(
        select case when o.account_id = any (ids) then o.market_id end
        from unnest(asked.accounts, asked.markets) with ordinality as o (account_id, market_id, i)
        order by o.i
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

-- write_trades writes trades with all that they moved, and announces them. The caller has locked books
-- and accounts.
-- Writes: trade, ledger_entry, account, position, tape, book.
-- +goose StatementBegin
create or replace function pgtape_core.write_trades(
    trades pgtape_core.trade[],
    positions pgtape_core.position[],
    events pgtape_core.tape[],
    books pgtape_core.book[]
)
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
    perform pgtape_core.append_events(events, books);
end;
$$;
-- +goose StatementEnd
