-- +goose Up
-- How good forecasts were, of the site and of an account: docs/calibration.md has the definitions.
-- All that is counted is given as sums, by tenths of the price, for its reader to divide.

-- yes_of is the place of the outcome that a market of two is read by: yes, or else the first.
create or replace function pgtape_core.yes_of(outcomes text[])
    returns integer
    language sql
    immutable
    return coalesce(array_position(outcomes, 'yes'), 1);

-- trading_ended_at tells when a market that is resolved could last be traded.
-- +goose StatementBegin
create or replace function pgtape_core.trading_ended_at(m pgtape_core.market)
    returns timestamptz
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select least(m.closes_at, (
        select min(t.at)
        from pgtape_core.tape t
        where t.market = m.slug
            and t.seq > (select coalesce(max(x.seq), 1) from pgtape_core.trade x where x.market_id = m.id)
            and t.kind in ('closed', 'proposed', 'resolved')
    ));
$$;
-- +goose StatementEnd

-- site_record sums up the prices of all resolved markets at three moments: last, while they still
-- traded; an hour and a day before that, or half-way through the life of a market that was shorter
-- than twice as long. several: markets of more than two outcomes, whose error is the sum over them.
-- +goose StatementBegin
create or replace function pgtape.site_record()
    returns table (
        horizon text,
        several boolean,
        bucket integer,
        forecasts numeric,
        price_sum numeric,
        outcome_sum numeric,
        outcome_squares numeric,
        error_sum numeric,
        even_error_sum numeric
    )
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
    set jit = off
as $$
    with market as (
        select m.id, m.created_at, pgtape_core.trading_ended_at(m) as ended_at, cardinality(m.outcomes) as n,
               pgtape_core.yes_of(m.outcomes) as yes, b.payout
        from pgtape_core.market m
        join pgtape_core.book b on b.market_id = m.id
        where b.status = 'resolved'
    ), moment as (
        select m.*, h.horizon, greatest(m.ended_at - h.before, m.created_at + (m.ended_at - m.created_at) / 2) as at
        from market m
        cross join (values ('day', interval '1 day'), ('hour', '1 hour'), ('last', '0')) as h (horizon, before)
    ), forecast as (
        select x.horizon, x.n, x.yes, x.payout, p.prices
        from (select id, array_agg(distinct at order by at) as moments from moment group by id) y
        cross join lateral pgtape_core.prices_at(y.id, y.moments) p
        join moment x on x.id = y.id and x.at = p.moment
    )
    select f.horizon, false, least(floor(f.prices[f.yes] * 10), 9)::integer, count(*), sum(f.prices[f.yes]),
           sum(f.payout[f.yes]),
           sum(f.payout[f.yes] ^ 2), sum((f.prices[f.yes] - f.payout[f.yes]) ^ 2), sum((0.5 - f.payout[f.yes]) ^ 2)
    from forecast f
    where f.n = 2
    group by f.horizon, 3
    union all
    select f.horizon, true, null, count(*), null, null, null, sum(e.error), sum(e.even)
    from forecast f
    cross join lateral (
        select sum((p.price - p.payout) ^ 2) as error, sum((round(1::numeric / f.n, 12) - p.payout) ^ 2) as even
        from unnest(f.prices, f.payout) as p (price, payout)
    ) e
    where f.n > 2
    group by f.horizon
    order by 1, 2, 3;
$$;
-- +goose StatementEnd

-- record_of sums up the forecasts of an account: each purchase in a market that was resolved says
-- that its outcome is as likely as its price was made. A market counts once, whatever was bought in
-- it: its purchases weigh by their shares. In a market of two outcomes all are read as of yes.
-- +goose StatementBegin
create or replace function pgtape_core.record_of(account_id bigint)
    returns table (
        bucket integer,
        forecasts numeric,
        price_sum numeric,
        outcome_sum numeric,
        outcome_squares numeric,
        error_sum numeric
    )
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    with bought as (
        select t.market_id, t.shares, t.outcome, t.price_after, b.payout, cardinality(m.outcomes) > 2 as several,
               pgtape_core.yes_of(m.outcomes) as yes
        from pgtape_core.trade t
        join pgtape_core.book b on b.market_id = t.market_id
        join pgtape_core.market m on m.id = t.market_id
        where t.account_id = record_of.account_id and t.side = 'buy' and t.outcome is not null and b.status = 'resolved'
    ), forecast as (
        select t.shares / sum(t.shares) over (partition by t.market_id) as weight,
               case when t.several or t.outcome = t.yes then t.price_after else 1 - t.price_after end as price,
               case when t.several then t.payout[t.outcome] else t.payout[t.yes] end as payout
        from bought t
    )
    select least(floor(f.price * 10), 9)::integer, sum(f.weight), sum(f.weight * f.price), sum(f.weight * f.payout),
           sum(f.weight * f.payout ^ 2), sum(f.weight * (f.price - f.payout) ^ 2)
    from forecast f
    group by 1
    order by 1;
$$;
-- +goose StatementEnd

-- account_record is record_of for the server.
-- Raises: TP007 no such account.
-- +goose StatementBegin
create or replace function pgtape.account_record(account text)
    returns table (
        bucket integer,
        forecasts numeric,
        price_sum numeric,
        outcome_sum numeric,
        outcome_squares numeric,
        error_sum numeric
    )
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select r.* from pgtape_core.find_account(account) a cross join lateral pgtape_core.record_of(a.id) r;
$$;
-- +goose StatementEnd

-- brier_scores gives the mean squared error of accounts' forecasts; none for who has none.
-- +goose StatementBegin
create or replace function pgtape.brier_scores(accounts text[])
    returns table (account text, forecasts numeric, brier numeric)
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
    set jit = off
as $$
    select a.handle, round(r.forecasts), round(r.error_sum / r.forecasts, 4)
    from unnest(accounts) as n (name)
    join pgtape_core.account a on a.id = pgtape_core.find_account_id(n.name)
    cross join lateral (
        select sum(x.forecasts) as forecasts, sum(x.error_sum) as error_sum from pgtape_core.record_of(a.id) x
    ) r
    where r.forecasts > 0;
$$;
-- +goose StatementEnd
