-- +goose Up
-- value_transfers tells operators which accounts have lost to which others: in each market, what one
-- account has lost (shares that it still holds count at what selling them would bring) is divided among
-- those that have gained, by what they gained; what nobody gained the market maker has. Many accounts
-- that lose to one, in the same few markets, are likely to be one person's.
create or replace view pgtape.value_transfers as
with gain as materialized (
    select g.market_id, g.account_id, g.amount from pgtape_core.market_gain g
), total as (
    select g.market_id, greatest(sum(g.amount) filter (where g.amount > 0),
           -sum(g.amount) filter (where g.amount < 0)) as amount
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
