-- +goose Up
-- Complete sets are bought and redeemed at exactly 1, so they cost nothing and say nothing: volume and
-- trades of a market count what moves a price. pgtape.verify() compares them with the trades.
comment on column pgtape_core.book.volume is 'credits that changed hands in trades that moved a price: complete sets do not count';
comment on column pgtape_core.book.trades is 'trades that moved a price: complete sets do not count';

-- A trade that commits while the sums are taken would be missing in them.
lock table pgtape_core.book in exclusive mode;
update pgtape_core.book b
set volume = t.volume, trades = t.trades
from (
    select x.market_id,
           coalesce(sum(x.amount) filter (where x.outcome is not null), 0) as volume,
           count(x.outcome) as trades
    from pgtape_core.trade x
    group by x.market_id
    having count(*) > count(x.outcome)
) t
where b.market_id = t.market_id;

-- +goose Down
update pgtape_core.book b
set volume = t.volume, trades = t.trades
from (select x.market_id, sum(x.amount) as volume, count(*) as trades from pgtape_core.trade x group by x.market_id) t
where b.market_id = t.market_id;

comment on column pgtape_core.book.trades is null;
comment on column pgtape_core.book.volume is 'credits that changed hands in trades';
