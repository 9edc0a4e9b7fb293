-- +goose Up
-- Accounts that operators have left out of the ranking, with what others have won from them.
create table pgtape_core.unranked (
    account_id bigint primary key references pgtape_core.account,
    at         timestamptz not null default clock_timestamp()
);

-- +goose Down
drop table pgtape_core.unranked cascade;
