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
    v_account pgtape_core.account := pgtape_core.person(account);
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

-- seq_at finds the last event of a tape at a moment, among those from low (which is one) to high.
-- By halves: the tape has no index by time, and at ascends with seq.
-- +goose StatementBegin
create or replace function pgtape_core.seq_at(market text, moment timestamptz, low bigint, high bigint)
    returns bigint
    language plpgsql
    stable
as $$
declare
    v_middle bigint;
begin
    while low < high loop
        v_middle := (low + high + 1) / 2;
        if (select t.at from pgtape_core.tape t where t.market = seq_at.market and t.seq = v_middle) <= moment then
            low := v_middle;
        else
            high := v_middle - 1;
        end if;
    end loop;
    return low;
end;
$$;
-- +goose StatementEnd

-- prices_at gives the prices of a market at moments that ascend; none before its first event.
-- +goose StatementBegin
create or replace function pgtape_core.prices_at(market_id bigint, moments timestamptz[])
    returns table (moment timestamptz, prices numeric[])
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_slug     text;
    v_outcomes text[];
    v_created  timestamptz;
    v_version  bigint;
    v_seq      bigint := 1;
    v_read     bigint := 0;
begin
    select m.slug, m.outcomes, m.created_at, b.version into v_slug, v_outcomes, v_created, v_version
    from pgtape_core.market m
    join pgtape_core.book b on b.market_id = m.id
    where m.id = prices_at.market_id;
    foreach moment in array moments loop
        continue when moment < v_created;
        v_seq := pgtape_core.seq_at(v_slug, moment, v_seq, v_version);
        if v_seq > v_read then
            select array(select (t.body::json -> 'prices' ->> o)::numeric from unnest(v_outcomes) o) into prices
            from pgtape_core.tape t
            where t.market = v_slug and t.seq = v_seq;
            v_read := v_seq;
        end if;
        return next;
    end loop;
end;
$$;
-- +goose StatementEnd

-- paid_out_at tells when a market was resolved or voided; null before.
-- +goose StatementBegin
create or replace function pgtape_core.paid_out_at(slug text)
    returns timestamptz
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select t.at
    from pgtape_core.tape t
    where t.market = slug
        and t.seq > (
            select coalesce(max(x.seq), 0)
            from pgtape_core.trade x
            join pgtape_core.market m on m.id = x.market_id
            where m.slug = paid_out_at.slug
        )
        and t.kind in ('resolved', 'void')
    order by t.seq
    limit 1;
$$;
-- +goose StatementEnd

-- profit_history gives what an account had gained at so many equal steps from since until now: all
-- its entries but grants, and its shares in markets that had not paid out, at the prices of then.
-- The last point has them at what selling would bring now, as the leaderboard does.
-- Raises: TP007 no such account, TP011 steps not from 2 to 500, since of no year that can be said.
-- +goose StatementBegin
create or replace function pgtape.profit_history(account text, since timestamptz default null, steps integer default 100)
    returns table (at timestamptz, profit numeric(30, 6))
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
    set jit = off
as $$
declare
    v_account pgtape_core.account := pgtape_core.person(account);
    v_until   timestamptz := clock_timestamp();
    v_since   timestamptz := least(greatest(since, v_account.created_at), v_until);
    v_step    interval;
begin
    perform pgtape_core.refuse_fault(case
        when steps is null or steps not between 2 and 500 then 'steps must lie between 2 and 500'
        else pgtape_core.time_error('since', since)
    end);
    v_step := greatest((v_until - v_since) / steps, interval '1 microsecond');

    return query
    with moment as (
        select i, case when i = steps then v_until else v_since + v_step * i end as at
        from generate_series(0, steps) i
    ), entry as (
        -- the first moment that is not before it
        select least(greatest(ceil(extract(epoch from e.at - v_since) / extract(epoch from v_step)), 0), steps)::integer as i,
               sum(e.amount) as amount
        from pgtape_core.ledger_entry e
        where e.account_id = v_account.id and e.kind not in ('opening_grant', 'grant')
        group by 1
    ), moved as (
        select t.market_id,
               o.outcome,
               least(greatest(ceil(extract(epoch from t.at - v_since) / extract(epoch from v_step)), 0), steps)::integer as i,
               sum(case t.side when 'buy' then t.shares else -t.shares end) as shares
        from pgtape_core.trade t
        join pgtape_core.market m on m.id = t.market_id
        cross join lateral generate_series(coalesce(t.outcome, 1), coalesce(t.outcome, cardinality(m.outcomes))) as o (outcome)
        where t.account_id = v_account.id
        group by 1, 2, 3
    ), held as (
        select v.market_id, v.outcome, v.i, lead(v.i, 1, steps) over w as until, sum(v.shares) over w as shares
        from moved v
        window w as (partition by v.market_id, v.outcome order by v.i)
    ), paid as (
        select m.id as market_id, pgtape_core.paid_out_at(m.slug) as at
        from pgtape_core.market m
        join pgtape_core.book b on b.market_id = m.id
        where m.id in (select h.market_id from held h) and b.payout is not null
    ), had as (
        select h.market_id, h.outcome, h.shares, n.at
        from held h
        join moment n on n.i >= h.i and n.i < h.until
        left join paid p on p.market_id = h.market_id
        where h.shares > 0 and (p.at is null or n.at < p.at)
    ), price as (
        select x.market_id, q.moment, q.prices
        from (
            select y.market_id, array_agg(y.at order by y.at) as moments
            from (select distinct h.market_id, h.at from had h) y
            group by y.market_id
        ) x
        cross join lateral pgtape_core.prices_at(x.market_id, x.moments) q
    ), worth as (
        select h.at, sum(h.shares * q.prices[h.outcome]) as amount
        from had h
        join price q on q.market_id = h.market_id and q.moment = h.at
        group by h.at
    )
    select n.at,
           (coalesce(sum(e.amount) over (order by n.i), 0)
            + case when n.i = steps then pgtape_core.open_value(v_account.id) else coalesce(w.amount, 0) end)::numeric(30, 6)
    from moment n
    left join entry e on e.i = n.i
    left join worth w on w.at = n.at
    order by n.i;
end;
$$;
-- +goose StatementEnd

-- open_value gives what selling all shares of an account in markets that have not paid out would
-- bring now.
-- +goose StatementBegin
create or replace function pgtape_core.open_value(account_id bigint)
    returns numeric
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select coalesce(sum(pgtape_core.sale_value(b.outstanding, m.liquidity, p.outcome, p.shares)), 0)
    from pgtape_core.position p
    join pgtape_core.market m on m.id = p.market_id
    join pgtape_core.book b on b.market_id = p.market_id
    where p.account_id = open_value.account_id and b.payout is null and p.shares > 0;
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
    v_account pgtape_core.account := pgtape_core.person(account);
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
        select p.market_id, sum(
            case when b.payout is null then pgtape_core.sale_value(b.outstanding, m.liquidity, p.outcome, p.shares) else 0 end
        ) as value
        from pgtape_core.position p
        join pgtape_core.market m on m.id = p.market_id
        join pgtape_core.book b on b.market_id = p.market_id
        where p.account_id = v_account.id
        group by p.market_id
    )
    select m.slug, m.question, b.status, coalesce(e.traded, 0)::numeric(30, 6), coalesce(e.paid, 0)::numeric(30, 6),
           coalesce(h.value, 0)::numeric(30, 6),
           (coalesce(e.traded, 0) + coalesce(e.paid, 0) + coalesce(h.value, 0))::numeric(30, 6)
    from entry e
    full join held h on h.market_id = e.market_id
    join pgtape_core.market m on m.id = coalesce(e.market_id, h.market_id)
    join pgtape_core.book b on b.market_id = m.id
    order by b.payout is not null, m.id desc;
end;
$$;
-- +goose StatementEnd

-- markets_made gives the markets that an account has funded, the newest first. cost: what it has put
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
    v_account pgtape_core.account := pgtape_core.person(account);
begin
    return query
    select m.slug, m.question, b.status, b.volume,
           (select count(distinct p.account_id) from pgtape_core.position p where p.market_id = m.id),
           m.closes_at,
           (select -coalesce(sum(e.amount), 0)
            from pgtape_core.ledger_entry e
            where e.account_id = v_account.id and e.market_id = m.id and e.kind in ('subsidy', 'subsidy_return'))::numeric(30, 6)
    from pgtape_core.market m
    join pgtape_core.book b on b.market_id = m.id
    where m.funder_id = v_account.id
    order by m.id desc;
end;
$$;
-- +goose StatementEnd

-- account_profile gives what everybody may know of somebody.
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
    v_account pgtape_core.account := pgtape_core.person(account);
begin
    return query
    select v_account.handle, v_account.created_at, v_account.gone_at is not null, v_account.role,
           (select count(*) from pgtape_core.trade t where t.account_id = v_account.id),
           (select count(distinct p.market_id) from pgtape_core.position p where p.account_id = v_account.id),
           (select count(*) from pgtape_core.market m where m.funder_id = v_account.id),
           (v_account.balance + pgtape_core.open_value(v_account.id) - coalesce((
               select sum(e.amount)
               from pgtape_core.ledger_entry e
               where e.account_id = v_account.id and e.kind in ('opening_grant', 'grant')
           ), 0))::numeric(30, 6);
end;
$$;
-- +goose StatementEnd
