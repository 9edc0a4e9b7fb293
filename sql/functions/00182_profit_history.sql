-- +goose Up
-- Profit over time, and what of the past of a market it needs.

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

-- outstanding_at gives the shares of a market that were outstanding at moments that ascend, exactly,
-- by taking back the trades since. It reads each of them.
-- +goose StatementBegin
create or replace function pgtape_core.outstanding_at(market_id bigint, moments timestamptz[])
    returns table (moment timestamptz, outstanding numeric[])
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_slug    text;
    v_version bigint;
    v_seq     bigint := 1;
    v_seqs    bigint[] := '{}';
    v_last    integer := cardinality(moments);
    v_moved   record;
begin
    select m.slug, b.version, b.outstanding into v_slug, v_version, outstanding
    from pgtape_core.market m
    join pgtape_core.book b on b.market_id = m.id
    where m.id = outstanding_at.market_id;
    foreach moment in array moments loop
        v_seq := pgtape_core.seq_at(v_slug, moment, v_seq, v_version);
        v_seqs := v_seqs || v_seq;
    end loop;

    -- place: the trade came after so many of the moments.
    for v_moved in
        select width_bucket(t.seq - 1, v_seqs) as place, t.outcome,
               sum(case t.side when 'buy' then t.shares else -t.shares end) as shares
        from pgtape_core.trade t
        where t.market_id = outstanding_at.market_id and t.seq > v_seqs[1]
        group by 1, 2
        order by 1 desc
    loop
        while v_last > v_moved.place loop
            moment := moments[v_last];
            return next;
            v_last := v_last - 1;
        end loop;
        for i in coalesce(v_moved.outcome, 1) .. coalesce(v_moved.outcome, cardinality(outstanding)) loop
            outstanding[i] := outstanding[i] - v_moved.shares;
        end loop;
    end loop;
    while v_last > 0 loop
        moment := moments[v_last];
        return next;
        v_last := v_last - 1;
    end loop;
end;
$$;
-- +goose StatementEnd

-- holdings_at gives the shares that an account held in markets that had not paid out, at each of so
-- many steps from since but the last: outcomes and shares side by side.
-- +goose StatementBegin
create or replace function pgtape_core.holdings_at(account_id bigint, since timestamptz, step interval, steps integer)
    returns table (market_id bigint, at timestamptz, outcomes integer[], shares numeric[])
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    with moved as (
        select t.market_id,
               o.outcome,
               least(greatest(ceil(extract(epoch from t.at - since) / extract(epoch from step)), 0), steps)::integer
                   as i,
               sum(case t.side when 'buy' then t.shares else -t.shares end) as shares
        from pgtape_core.trade t
        join pgtape_core.market m on m.id = t.market_id
        cross join lateral generate_series(coalesce(t.outcome, 1), coalesce(t.outcome, cardinality(m.outcomes)))
            as o (outcome)
        where t.account_id = holdings_at.account_id
        group by 1, 2, 3
    ), held as (
        select v.market_id, v.outcome, v.i, lead(v.i, 1, steps) over w as until, sum(v.shares) over w as shares
        from moved v
        window w as (partition by v.market_id, v.outcome order by v.i)
    ), paid as (
        select m.id as market_id, pgtape_core.paid_out_at(m.slug) as at
        from (select distinct h.market_id from held h) d
        cross join lateral (select x.* from pgtape_core.market x where x.id = d.market_id offset 0) m -- one by one
        cross join lateral (select x.payout from pgtape_core.book x where x.market_id = d.market_id offset 0) b
        where b.payout is not null
    )
    select h.market_id, since + step * n, array_agg(h.outcome), array_agg(h.shares)
    from held h
    cross join lateral generate_series(h.i, h.until - 1) n
    left join paid p on p.market_id = h.market_id
    where h.shares > 0 and (p.at is null or since + step * n < p.at)
    group by h.market_id, n;
$$;
-- +goose StatementEnd

-- values_at gives what selling those holdings would have brought then, all markets together. The
-- prices of the tape tell it in most cases; where they are not exact enough, the trades do.
-- +goose StatementBegin
create or replace function pgtape_core.values_at(account_id bigint, since timestamptz, step interval, steps integer)
    returns table (at timestamptz, amount numeric)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    with had as materialized (
        select h.* from pgtape_core.holdings_at(account_id, since, step, steps) h
    ), priced as materialized (
        select h.*, m.liquidity, pgtape_core.holding_value_at(q.prices, m.liquidity, h.outcomes, h.shares) as amount
        from (select x.market_id, array_agg(x.at order by x.at) as moments from had x group by x.market_id) y
        cross join lateral pgtape_core.prices_at(y.market_id, y.moments) q
        join had h on h.market_id = y.market_id and h.at = q.moment
        join pgtape_core.market m on m.id = y.market_id
    ), exact as (
        select p.at, pgtape_core.holding_value(q.outstanding, p.liquidity, p.outcomes, p.shares) as amount
        from (
            select x.market_id, array_agg(x.at order by x.at) as moments
            from priced x
            where x.amount is null
            group by x.market_id
        ) y
        cross join lateral pgtape_core.outstanding_at(y.market_id, y.moments) q
        join priced p on p.market_id = y.market_id and p.at = q.moment
    )
    select v.at, sum(v.amount)
    from (
        select p.at, p.amount from priced p where p.amount is not null
        union all
        select e.at, e.amount from exact e
    ) v
    group by v.at;
$$;
-- +goose StatementEnd

-- profit_history gives what an account had gained at so many equal steps from since until now: all
-- its entries but grants, and what selling its shares in markets that had not paid out would have
-- brought then. The last point is what the leaderboard says.
-- Raises: TP007 no such account, TP011 steps not from 2 to 500, since of no year that can be said.
-- +goose StatementBegin
create or replace function pgtape.profit_history(
    account text,
    since timestamptz default null,
    steps integer default 100
)
    returns table (at timestamptz, profit numeric(30, 6))
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
    set jit = off
as $$
declare
    v_account pgtape_core.account := pgtape_core.find_account(account);
    v_until   timestamptz := clock_timestamp();
    v_since   timestamptz := least(greatest(since, v_account.created_at), v_until);
    v_step    interval;
begin
    perform pgtape_core.refuse_error(case
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
        select least(
                   greatest(ceil(extract(epoch from e.at - v_since) / extract(epoch from v_step)), 0), steps
               )::integer as i,
               sum(e.amount) as amount
        from pgtape_core.ledger_entry e
        where e.account_id = v_account.id and e.kind not in ('opening_grant', 'grant')
        group by 1
    )
    select n.at,
           (coalesce(sum(e.amount) over (order by n.i), 0)
            + case when n.i = steps then pgtape_core.open_value(v_account.id)
                else coalesce(w.amount, 0) end)::numeric(30, 6)
    from moment n
    left join entry e on e.i = n.i
    left join pgtape_core.values_at(v_account.id, v_since, v_step, steps) w on w.at = n.at
    order by n.i;
end;
$$;
-- +goose StatementEnd
