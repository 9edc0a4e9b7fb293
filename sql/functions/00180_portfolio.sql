-- +goose Up
-- What somebody has done and gained. The server asks for those who are signed in.

-- account_history gives the entries of an account, the newest first, each with the trade that it
-- is of, and the balance after it. before: the transaction that the page before ended with.
-- Raises: TP007 no such account.
-- +goose StatementBegin
create or replace function pgtape.account_history(account text, before bigint default null, most integer default null)
    returns table (
        transaction_id bigint,
        at timestamptz,
        kind text,
        market text,
        question text,
        outcome text,
        side text,
        shares numeric(30, 6),
        amount numeric(30, 6),
        balance numeric(30, 6)
    )
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account pgtape_core.account := pgtape_core.find_account(account);
begin
    -- Backwards from the balance of now: each entry takes away what came after it.
    return query
    with page as (
        select e.*
        from pgtape_core.ledger_entry e
        where e.account_id = v_account.id and (before is null or e.transaction_id < before)
        order by e.transaction_id desc
        limit most
    ), later as (
        select coalesce(sum(e.amount), 0) as amount
        from pgtape_core.ledger_entry e
        where e.account_id = v_account.id and e.transaction_id > (select max(p.transaction_id) from page p)
    )
    select p.transaction_id, p.at, p.kind, m.slug, m.question,
           case when t.id is not null then coalesce(m.outcomes[t.outcome], '*') end, t.side, t.shares, p.amount,
           (v_account.balance - (select l.amount from later l) - coalesce(sum(p.amount) over (
               order by p.transaction_id desc rows between unbounded preceding and 1 preceding
           ), 0))::numeric(30, 6)
    from page p
    left join pgtape_core.market m on m.id = p.market_id
    left join pgtape_core.trade t on p.kind = 'trade' and t.market_id = p.market_id and t.seq = p.seq
    order by p.transaction_id desc;
end;
$$;
-- +goose StatementEnd

-- open_values gives what selling all that an account holds would bring now, in each market that it
-- has traded in; 0 where the market has paid out.
-- +goose StatementBegin
create or replace function pgtape_core.open_values(account_id bigint)
    returns table (market_id bigint, value numeric)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select m.id,
           case
               when b.payout is not null then 0
               else pgtape_core.holding_value(
                   b.outstanding, m.liquidity, array_agg(p.outcome::integer), array_agg(p.shares)
               )
           end
    from pgtape_core.position p
    join pgtape_core.market m on m.id = p.market_id
    join pgtape_core.book b on b.market_id = p.market_id
    where p.account_id = open_values.account_id
    group by m.id, b.market_id;
$$;
-- +goose StatementEnd

-- open_value is that of all markets.
-- +goose StatementBegin
create or replace function pgtape_core.open_value(account_id bigint)
    returns numeric
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select coalesce(sum(v.value), 0) from pgtape_core.open_values(account_id) v;
$$;
-- +goose StatementEnd

-- account_markets gives what an account has gained in each market that it has traded in, those that
-- trade first: what its trades came to, what was paid out, what selling the rest would bring now.
-- Raises: TP007 no such account.
-- +goose StatementBegin
create or replace function pgtape.account_markets(account text)
    returns table (
        market text,
        question text,
        status text,
        traded numeric(30, 6),
        paid numeric(30, 6),
        value numeric(30, 6),
        profit numeric(30, 6)
    )
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
    set jit = off
as $$
declare
    v_account pgtape_core.account := pgtape_core.find_account(account);
begin
    return query
    with entry as (
        select e.market_id,
               coalesce(sum(e.amount) filter (where e.kind = 'trade'), 0) as traded,
               coalesce(sum(e.amount) filter (where e.kind <> 'trade'), 0) as paid
        from pgtape_core.ledger_entry e
        where e.account_id = v_account.id and e.kind in ('trade', 'payout', 'correction')
        group by e.market_id
    ), held as (
        select v.market_id, v.value from pgtape_core.open_values(v_account.id) v
    )
    select m.slug, m.question, b.status, coalesce(e.traded, 0)::numeric(30, 6), coalesce(e.paid, 0)::numeric(30, 6),
           coalesce(h.value, 0)::numeric(30, 6),
           (coalesce(e.traded, 0) + coalesce(e.paid, 0) + coalesce(h.value, 0))::numeric(30, 6)
    from entry e
    full join held h on h.market_id = e.market_id
    cross join lateral ( -- one by one
        select x.* from pgtape_core.market x where x.id = coalesce(e.market_id, h.market_id) offset 0
    ) m
    cross join lateral (select x.* from pgtape_core.book x where x.market_id = m.id offset 0) b
    order by b.payout is not null, m.id desc;
end;
$$;
-- +goose StatementEnd

-- markets_made gives the markets that an account has funded, the newest 200 first. cost: what it has put
-- up for it and not had back.
-- Raises: TP007 no such account.
-- +goose StatementBegin
create or replace function pgtape.markets_made(account text)
    returns table (
        market text,
        question text,
        status text,
        volume numeric(30, 6),
        traders bigint,
        closes_at timestamptz,
        cost numeric(30, 6)
    )
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account pgtape_core.account := pgtape_core.find_account(account);
begin
    return query
    select m.slug, m.question, b.status, b.volume,
           (select count(distinct p.account_id) from pgtape_core.position p where p.market_id = m.id),
           m.closes_at,
           (select -coalesce(sum(e.amount), 0)
            from pgtape_core.ledger_entry e
            where e.account_id = v_account.id and e.market_id = m.id
                and e.kind in ('subsidy', 'subsidy_return'))::numeric(30, 6)
    from (
        -- As a range and not as =, the newest first is the order of one index alone.
        select x.id
        from pgtape_core.market x
        where (x.funder_id, x.created_at) >= (v_account.id, '-infinity')
            and (x.funder_id, x.created_at) <= (v_account.id, 'infinity')
        order by x.funder_id desc, x.created_at desc
        limit 200
    ) n
    cross join lateral (select x.* from pgtape_core.market x where x.id = n.id offset 0) m
    cross join lateral (select x.* from pgtape_core.book x where x.market_id = n.id offset 0) b
    order by m.created_at desc, m.id desc;
end;
$$;
-- +goose StatementEnd

-- account_profile gives what everybody may know of somebody. made: of the markets, a thousand are counted.
-- Raises: TP007 no such account.
-- +goose StatementBegin
create or replace function pgtape.account_profile(account text)
    returns table (
        handle text,
        created_at timestamptz,
        gone boolean,
        role text,
        trades bigint,
        markets bigint,
        made bigint,
        profit numeric(30, 6)
    )
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
    set jit = off
as $$
declare
    v_account pgtape_core.account := pgtape_core.find_account(account);
begin
    return query
    select v_account.handle, v_account.created_at, v_account.gone_at is not null, v_account.role,
           (select count(*) from pgtape_core.trade t where t.account_id = v_account.id and t.outcome is not null),
           (select count(distinct p.market_id) from pgtape_core.position p where p.account_id = v_account.id),
           (select count(*) from (
               select
               from pgtape_core.market m
               where (m.funder_id, m.created_at) >= (v_account.id, '-infinity')
                   and (m.funder_id, m.created_at) <= (v_account.id, 'infinity')
               order by m.funder_id, m.created_at
               limit 1000
           ) x),
           (v_account.balance + pgtape_core.open_value(v_account.id) - coalesce((
               select sum(e.amount)
               from pgtape_core.ledger_entry e
               where e.account_id = v_account.id and e.kind in ('opening_grant', 'grant')
           ), 0))::numeric(30, 6);
end;
$$;
-- +goose StatementEnd
