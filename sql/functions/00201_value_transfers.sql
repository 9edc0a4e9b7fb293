-- +goose Up
-- value_transfers tells operators which accounts have lost to which others: in each market, what one
-- account has lost (shares that it still holds count at what selling them would bring) is divided among
-- those that have gained, by what they gained; what nobody gained the market maker has. Many accounts
-- that lose to one, in the same few markets, are likely to be one person's.
create or replace view pgtape.value_transfers as
with held as (
    select p.market_id, p.account_id,
           pgtape_core.holding_value(b.outstanding, m.liquidity, array_agg(p.outcome::integer), array_agg(p.shares)) as amount
    from pgtape_core.position p
    join pgtape_core.market m on m.id = p.market_id
    join pgtape_core.book b on b.market_id = p.market_id
    where b.payout is null and p.shares > 0
    group by p.market_id, p.account_id, b.market_id, m.id
), gain as (
    select x.market_id, x.account_id, sum(x.amount) as amount
    from (
        select e.market_id, e.account_id, e.amount
        from pgtape_core.ledger_entry e
        where e.kind in ('trade', 'payout', 'correction')
        union all
        select h.market_id, h.account_id, h.amount from held h
    ) x
    join pgtape_core.account a on a.id = x.account_id and a.kind = 'person'
    group by x.market_id, x.account_id
), total as (
    select g.market_id, greatest(sum(g.amount) filter (where g.amount > 0), -sum(g.amount) filter (where g.amount < 0)) as amount
    from gain g
    group by g.market_id
)
select f.handle as from_account,
       t.handle as to_account,
       sum(-l.amount * w.amount / s.amount)::numeric(30, 6) as amount,
       count(*) as markets,
       (select count(distinct p.market_id) from pgtape_core.position p where p.account_id = f.id) as from_markets
from gain l
join gain w on w.market_id = l.market_id and w.amount > 0
join total s on s.market_id = l.market_id
join pgtape_core.account f on f.id = l.account_id
join pgtape_core.account t on t.id = w.account_id
where l.amount < 0
group by f.id, t.id;
