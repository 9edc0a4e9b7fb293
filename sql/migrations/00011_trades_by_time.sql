-- +goose Up
-- What was traded lately: trades are written in the order of time, so a few ranges of blocks hold them.
create index trade_at on pgtape_core.trade using brin (at) with (autosummarize = on);

-- Its amounts have six decimals now; the views are applied after this.
drop view if exists pgtape.leaderboard;

-- +goose Down
drop index pgtape_core.trade_at;
