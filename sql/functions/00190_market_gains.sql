-- +goose Up
-- market_gain gives what each person has gained or lost in each market, shares that are held at what
-- selling them would bring (held); traded: by trading there, and not only by having made it. Who funded a
-- market has lost what did not come back when it paid out.
create or replace view pgtape_core.market_gain as
with booked as (
    select e.market_id, e.account_id, sum(e.amount) as amount
    from pgtape_core.ledger_entry e
    join pgtape_core.book b on b.market_id = e.market_id
    where e.kind in ('trade', 'payout', 'correction')
        or e.kind in ('subsidy', 'subsidy_return') and b.payout is not null
    group by e.market_id, e.account_id
), holding as (
    select p.market_id, p.account_id,
           case
               when b.payout is null then pgtape_core.holding_value(
                   b.outstanding, m.liquidity, array_agg(p.outcome::integer), array_agg(p.shares)
               )
           end as value
    from pgtape_core.position p
    join pgtape_core.market m on m.id = p.market_id
    join pgtape_core.book b on b.market_id = p.market_id
    group by p.market_id, p.account_id, b.market_id, m.id
)
select market_id,
       account_id,
       coalesce(h.value, 0) as held,
       coalesce(b.amount, 0) + coalesce(h.value, 0) as amount,
       h.account_id is not null as traded
from booked b
full join holding h using (market_id, account_id)
join pgtape_core.account a on a.id = account_id and a.kind = 'person';
