-- +goose Up
-- Invariants of markets: what traders hold, what it costs, what it pays.

-- check_positions: positions are what the trades add up to, outstanding what the positions do.
-- +goose StatementBegin
create or replace function pgtape_core.check_positions()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = ''
as $$
    with traded as (
        select t.account_id, t.market_id, t.outcome,
               sum(case t.side when 'buy' then t.shares else -t.shares end) as shares
        from pgtape_core.trade t
        group by t.account_id, t.market_id, t.outcome
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
        select x.market_id, x.outcome, sum(x.shares) as shares from pgtape_core.position x group by x.market_id, x.outcome
    ) p on p.market_id = m.id and p.outcome = o.outcome
    where o.shares <> coalesce(p.shares, 0);
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create or replace function pgtape_core.check_prices()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = ''
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
    set search_path = ''
as $$
    select 'the escrow covers the worst case', 'market ' || m.slug, format('escrow %s, shares of one outcome %s', a.balance, w.shares)
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

-- check_payouts: each holder is paid what the payout makes of the shares, once, and nobody else.
-- +goose StatementBegin
create or replace function pgtape_core.check_payouts()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = ''
as $$
    with paid as (
        select e.market_id, e.account_id, sum(e.amount) as amount, count(*) as times
        from pgtape_core.ledger_entry e
        join pgtape_core.market m on m.id = e.market_id
        where e.kind = 'payout' and e.account_id <> m.account_id
        group by e.market_id, e.account_id
    ), due as (
        select p.market_id, p.account_id, trunc(sum(p.shares * b.payout[p.outcome]), 6) as amount
        from pgtape_core.position p
        join pgtape_core.book b on b.market_id = p.market_id
        where b.payout is not null
        group by p.market_id, p.account_id
    )
    select 'resolution pays out exactly once', format('market %s, account %s', market_id, account_id),
           format('paid %s in %s entries, due %s', coalesce(p.amount, 0), coalesce(p.times, 0), coalesce(d.amount, 0))
    from paid p
    full join due d using (market_id, account_id)
    where coalesce(p.amount, 0) <> coalesce(d.amount, 0) or p.times > 1
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
    set search_path = ''
as $$
    select 'every trade kept its bounds', format('market %s, seq %s', t.market_id, t.seq), broken.bound
    from pgtape_core.trade t
    cross join lateral (
        select round(t.amount / t.shares, 12) as avg_price, t.max_slippage_bps / 10000.0 as slippage
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
