-- +goose Up
-- Invariants of markets: what traders hold, what it costs, what it pays.

-- check_positions: positions are what the trades add up to, outstanding what the positions do.
-- +goose StatementBegin
create or replace function pgtape_core.check_positions()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    with traded as (
        select t.account_id, t.market_id, o.outcome, sum(case t.side when 'buy' then t.shares else -t.shares end)
            as shares
        from pgtape_core.trade t
        join pgtape_core.market m on m.id = t.market_id
        cross join lateral generate_series(coalesce(t.outcome, 1), coalesce(t.outcome, cardinality(m.outcomes)))
            as o (outcome)
        group by t.account_id, t.market_id, o.outcome
    )
    select 'positions equal their trades', format('account %s, market %s, outcome %s', account_id, market_id, outcome),
           format('position %s, trades %s', coalesce(p.shares, 0), coalesce(t.shares, 0))
    from pgtape_core.position p
    full join traded t using (account_id, market_id, outcome)
    where coalesce(p.shares, 0) <> coalesce(t.shares, 0)
    union all
    select 'outstanding shares equal the positions', format('market %s, outcome %s', m.slug, m.outcomes[o.outcome]),
           format('outstanding %s, positions %s', o.shares, coalesce(p.shares, 0))
    from pgtape_core.market m
    join pgtape_core.book b on b.market_id = m.id
    cross join unnest(b.outstanding) with ordinality as o (shares, outcome)
    left join (
        select x.market_id, x.outcome, sum(x.shares) as shares from pgtape_core.position x
        group by x.market_id, x.outcome
    ) p on p.market_id = m.id and p.outcome = o.outcome
    where o.shares <> coalesce(p.shares, 0);
$$;
-- +goose StatementEnd

-- check_prices: prices follow from the shares outstanding, and sum to one.
-- +goose StatementBegin
create or replace function pgtape_core.check_prices()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select 'prices sum to 1', 'market ' || m.slug, 'they sum to ' || s.sum
    from pgtape_core.market m
    join pgtape_core.book b on b.market_id = m.id
    cross join lateral (select sum(p) from unnest(b.prices) p) s
    where s.sum <> 1
    union all
    select 'prices follow from the shares', 'market ' || m.slug, format('prices %s, by the rule %s', b.prices, l.prices)
    from pgtape_core.market m
    join pgtape_core.book b on b.market_id = m.id
    cross join lateral pgtape_core.lmsr_at(b.outstanding, m.liquidity) l
    where b.prices <> l.prices;
$$;
-- +goose StatementEnd

-- check_escrow: until it pays out, a market's escrow covers every outcome, from the subsidy and
-- what traders have paid; afterwards it is empty.
-- +goose StatementBegin
create or replace function pgtape_core.check_escrow()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select 'the escrow covers the worst case', 'market ' || m.slug,
           format('escrow %s, shares of one outcome %s', a.balance, w.shares)
    from pgtape_core.market m
    join pgtape_core.book b on b.market_id = m.id
    join pgtape_core.account a on a.id = m.account_id
    cross join lateral (select max(o) as shares from unnest(b.outstanding) o) w
    where b.payout is null and a.balance < w.shares
    union all
    select 'the subsidy is ceil(b ln n)', 'market ' || m.slug,
           format('subsidy %s, escrowed %s, by the rule %s', m.subsidy, coalesce(e.amount, 0), l.subsidy)
    from pgtape_core.market m
    cross join lateral (select pgtape_core.lmsr_subsidy(m.liquidity, cardinality(m.outcomes)) as subsidy) l
    left join lateral (
        select sum(x.amount) as amount
        from pgtape_core.ledger_entry x
        where x.account_id = m.account_id and x.kind = 'subsidy'
    ) e on true
    where m.subsidy <> l.subsidy or e.amount is distinct from m.subsidy
    union all
    select 'resolution leaves the escrow at 0', 'market ' || m.slug, 'escrow ' || a.balance
    from pgtape_core.market m
    join pgtape_core.book b on b.market_id = m.id
    join pgtape_core.account a on a.id = m.account_id
    where b.payout is not null and a.balance <> 0;
$$;
-- +goose StatementEnd

-- check_payouts: each account has had what it is entitled to of a market that has paid out, once,
-- and nobody has of one that has not. What an account was short of in the last correction, it still has.
-- +goose StatementBegin
create or replace function pgtape_core.check_payouts()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    with market as (
        select m, m.id as market_id, m.slug, m.account_id as escrow, b.payout
        from pgtape_core.market m
        join pgtape_core.book b on b.market_id = m.id
    ), had as (
        select k.market_id, r.account_id, r.amount from market k cross join lateral pgtape_core.received(k.m) r
    ), due as (
        select k.market_id, n.account_id, n.amount
        from market k cross join lateral pgtape_core.entitled(k.m, k.payout) n
        where k.payout is not null
    ), short as (
        select k.market_id, a.id as account_id, s.value::numeric as amount
        from market k
        cross join lateral (
            select t.body::json -> 'corrected' -> 'short' as short
            from pgtape_core.tape t
            where t.market = k.slug and t.kind = 'corrected'
            order by t.seq desc
            limit 1
        ) c
        cross join lateral json_each_text(c.short) s
        join pgtape_core.account a on a.handle = s.key
    )
    select 'resolution pays out exactly once', format('market %s, account %s', market_id, a.handle),
           format('had %s, due %s, short %s', coalesce(h.amount, 0), coalesce(d.amount, 0), coalesce(s.amount, 0))
    from had h
    full join due d using (market_id, account_id)
    full join short s using (market_id, account_id)
    join pgtape_core.account a on a.id = account_id
    where a.kind = 'person' and coalesce(h.amount, 0) <> coalesce(d.amount, 0) + coalesce(s.amount, 0)
    union all
    select 'resolution pays out exactly once', 'market ' || k.slug,
           format('paid out %s times', count(distinct e.transaction_id))
    from market k
    join pgtape_core.ledger_entry e on e.account_id = k.escrow and e.kind = 'payout'
    group by k.slug
    having count(distinct e.transaction_id) > 1
    union all
    select 'a payout is final', 'market ' || m.slug, format('status %s, payout %s', b.status, b.payout)
    from pgtape_core.market m
    join pgtape_core.book b on b.market_id = m.id
    where (b.payout is not null) <> (b.status in ('resolved', 'void'));
$$;
-- +goose StatementEnd

-- check_bounds: every trade kept the bounds it was given, as recorded.
-- +goose StatementBegin
create or replace function pgtape_core.check_bounds()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select 'every trade kept its bounds', format('market %s, seq %s', t.market_id, t.seq), broken.bound
    from pgtape_core.trade t
    cross join lateral (
        select pgtape_core.avg_price(t.amount, t.shares) as avg_price, t.max_slippage_bps / 10000.0 as slippage
    ) q
    cross join lateral (values
        ('max_slippage_bps', t.side = 'buy' and q.avg_price > t.expected_price * (1 + q.slippage)),
        ('max_slippage_bps', t.side = 'sell' and q.avg_price < t.expected_price * (1 - q.slippage)),
        ('max_cost', t.side = 'buy' and t.amount > t.max_cost),
        ('min_proceeds', t.side = 'sell' and t.amount < t.min_proceeds),
        ('spend', t.amount > t.spend),
        ('deadline', t.at > t.deadline),
        ('expected_version', t.expected_version >= t.seq),
        ('no bound at all', num_nonnulls(t.max_slippage_bps, t.max_cost, t.min_proceeds) = 0)
    ) as broken (bound, is_so)
    where broken.is_so;
$$;
-- +goose StatementEnd
