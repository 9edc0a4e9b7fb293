-- +goose Up
-- Handles are folded by the collation "C": under another one, a Turkish one say, IVAN and ivan may be
-- two accounts already. They stay.
alter table pgtape_core.account
    add column look_alike bigint not null default 0;

comment on column pgtape_core.account.look_alike is
    '0; or its id, of an account whose handle differs from an older one''s in case only';

update pgtape_core.account a
set look_alike = a.id
where exists (
    select from pgtape_core.account b where lower(b.handle collate "C") = lower(a.handle collate "C") and b.id < a.id
);

drop index pgtape_core.account_handle;
create unique index account_handle on pgtape_core.account (lower(handle collate "C"), look_alike);

-- The spellings of categories; those that look the same have one key, and one of them is the first.
create table pgtape_core.category (
    name  text collate "C" not null unique,
    key   text collate "C" not null,
    first boolean not null default true
);

create unique index category_first on pgtape_core.category (key) where first;
create index category_key on pgtape_core.category (key);

-- +goose Down
drop table pgtape_core.category cascade;
drop index pgtape_core.account_handle;
alter table pgtape_core.account drop column look_alike cascade;
create unique index account_handle on pgtape_core.account (lower(handle));
