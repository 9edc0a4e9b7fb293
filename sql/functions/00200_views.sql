-- +goose Up
-- What there is to read. Public: markets, tape, trades, leaderboard. A login's own: my_account,
-- my_positions, my_ledger. For server, operators and auditors: accounts, positions, ledger.

-- Joined where it is used, so that a slug is looked up and not sought among all states.
create or replace view pgtape.markets as
select m.slug, m.question, m.description, m.category, b.status, m.outcomes, b.prices,
       b.outstanding, m.liquidity, m.subsidy, b.volume, b.trades,
       (select count(distinct p.account_id) from pgtape_core.position p where p.market_id = m.id) as traders,
       b.version, pgtape_core.cursor_of(b.version, b.head) as cursor, m.created_at,
       (select a.handle from pgtape_core.account a where a.id = m.funder_id) as created_by,
       m.closes_at, b.updated_at, m.void_payout, b.proposal, b.payout
from pgtape_core.market m
join pgtape_core.book b on b.market_id = m.id;

-- The first 200 categories, by name, each in the spelling of the market that had it first.
create or replace view pgtape.categories as
select c.name collate pg_catalog."default" as category -- as it was before there was a table of them
from (
    select x.name from pgtape_core.category x where x.first order by x.name limit 200
) c;

-- What was traded in the last day, of markets that had trades in it. Complete sets, which can be had
-- for nothing, do not count: docs/glossary.md.
create or replace view pgtape.activity as
select m.slug as market, count(*) as trades, sum(t.amount) as volume
from pgtape_core.trade t
join pgtape_core.market m on m.id = t.market_id
where t.at > now() - interval '1 day' and t.outcome is not null
group by m.slug;

create or replace view pgtape.tape as
select t.market,
       t.seq,
       t.seq - 1 as prev,
       pgtape_core.cursor_of(t.seq, t.hash) as cursor,
       t.at,
       t.kind,
       t.body,
       encode(t.prev_hash, 'hex') as prev_hash,
       encode(t.hash, 'hex') as hash
from pgtape_core.tape t;

-- Where every tape stands, the house's too, for readers that compare it with what they have delivered.
create or replace view pgtape.heads as
select m.slug, b.version, b.head
from pgtape_core.market m
join pgtape_core.book b on b.market_id = m.id
union all
select 'house', h.version, h.head
from pgtape_core.house_tape h
where h.version > 0;

create or replace view pgtape.trades as
select m.slug as market,
       t.seq as version,
       t.id as trade_id,
       a.handle as account,
       coalesce(m.outcomes[t.outcome], '*') as outcome,
       t.side,
       t.shares,
       t.amount,
       pgtape_core.avg_price(t.amount, t.shares)::numeric(13, 12) as avg_price,
       t.price_before,
       t.price_after,
       t.at
from pgtape_core.trade t
join pgtape_core.market m on m.id = t.market_id
join pgtape_core.account a on a.id = t.account_id;

create or replace view pgtape.accounts as
select a.handle, a.kind, a.balance, a.created_at, a.role, a.id, a.gone_at is not null as gone
from pgtape_core.account a;

-- cost is what the account has paid for an outcome less what its sales have brought (of a complete
-- set, an equal part); value is its part of what selling all that the account holds in the market
-- would bring now or, once the market has paid out, of what it has brought: the values of a market's
-- outcomes add up to that.
create or replace view pgtape.positions as
select a.handle as account,
       m.slug as market,
       m.question,
       b.status,
       m.outcomes[p.outcome] as outcome,
       p.shares,
       (select coalesce(sum(
               case t.side when 'buy' then t.amount else -t.amount end
               * case when t.outcome is null then 1.0 / cardinality(m.outcomes) else 1 end
           ), 0)
        from pgtape_core.trade t
        where t.account_id = p.account_id and t.market_id = p.market_id and coalesce(t.outcome, p.outcome) = p.outcome
       )::numeric(30, 6) as cost,
       b.prices[p.outcome] as price,
       pgtape_core.holding_part(
           b.outstanding, m.liquidity, b.prices, b.payout, w.outcomes, w.shares, p.outcome
       )::numeric(30, 6) as value
from pgtape_core.position p
join pgtape_core.account a on a.id = p.account_id
join pgtape_core.market m on m.id = p.market_id
join pgtape_core.book b on b.market_id = p.market_id
cross join lateral (
    select array_agg(h.outcome::integer) as outcomes, array_agg(h.shares) as shares
    from pgtape_core.position h
    where h.account_id = p.account_id and h.market_id = p.market_id
) w;

create or replace view pgtape.ledger as
select e.transaction_id, a.handle as account, e.amount, e.kind, m.slug as market, e.seq, e.at
from pgtape_core.ledger_entry e
join pgtape_core.account a on a.id = e.account_id
left join pgtape_core.market m on m.id = e.market_id;

-- What operators and admins have done, and through which login.
create or replace view pgtape.audit as
select e.id, e.at, e.actor, e.login, e.act, e.subject, e.detail
from pgtape_core.audit_entry e;

-- The digest of the functions, which a server compares with its own.
create or replace view pgtape.schema_digest as
select f.digest, f.applied_at from pgtape_core.function_bundle f;

create or replace view pgtape.my_account with (security_barrier) as
select a.handle, a.balance, a.created_at
from pgtape_core.account a
where a.id = pgtape_core.own_account_id();

create or replace view pgtape.my_positions with (security_barrier) as
select p.market, p.question, p.status, p.outcome, p.shares, p.cost, p.price, p.value
from pgtape.positions p
where p.account = (select m.handle from pgtape.my_account m);

create or replace view pgtape.my_ledger with (security_barrier) as
select l.transaction_id, l.amount, l.kind, l.market, l.seq, l.at
from pgtape.ledger l
where l.account = (select m.handle from pgtape.my_account m);

-- +goose StatementBegin
-- history gives the prices of a market over time, thinned to about so many points: the last event
-- of each of so many equal spans, and before them the last one up to since, whose prices held
-- then: of a market that is younger, the one that made it. Prices stand in the order of outcomes.
-- Raises: TP007 no such market, TP011 points not from 2 to 5000, since or until of no year that can be said.
create or replace function pgtape.history(
    market text,
    since timestamptz default null,
    until timestamptz default null,
    points integer default 500
)
    returns table (at timestamptz, seq bigint, prices numeric[])
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_market pgtape_core.market;
    v_since  timestamptz;
    v_until  timestamptz;
begin
    perform pgtape_core.refuse_error(case
        when points is null or points not between 2 and 5000 then 'points must lie between 2 and 5000'
        else coalesce(pgtape_core.time_error('from', since), pgtape_core.time_error('to', until))
    end);
    v_market := pgtape_core.find_market(market);
    v_since := greatest(since, v_market.created_at);
    v_until := coalesce(until, clock_timestamp());

    return query
    select distinct on (span) e.at, e.seq, e.prices
    from (
        select t.at,
               t.seq,
               array(select (t.body::json -> 'prices' ->> o)::numeric from unnest(v_market.outcomes) o) as prices,
               case
                   when t.at <= v_since then -1
                   else floor(points * extract(epoch from t.at - v_since) / greatest(
                       extract(epoch from v_until - v_since), 0.000001
                   ))
               end as span
        from pgtape_core.tape t
        where t.market = v_market.slug
            and t.at <= v_until
            and t.seq >= coalesce((
                select max(x.seq) from pgtape_core.tape x where x.market = v_market.slug and x.at < v_since
            ), 1)
    ) e
    order by span, e.seq desc;
end;
$$;
-- +goose StatementEnd
