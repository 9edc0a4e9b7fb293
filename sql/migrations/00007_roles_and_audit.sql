-- +goose Up
-- What an account may do besides trade, and what was done with such rights.
alter table pgtape_core.account
    add column role text not null default 'trader',
    add constraint role_is_known check (role in ('trader', 'operator', 'admin'));

comment on column pgtape_core.account.role is
    'on the page and over HTTP: operators run markets, admins give roles too; in SQL the login''s role counts';

-- It has no defaults now; the functions are applied after this.
drop function if exists pgtape_core.move_market(
    pgtape_core.market, pgtape_core.book, text, text, text, text, text, timestamptz
);

alter type pgtape_core.account_state add attribute role text;

-- Append-only.
create table pgtape_core.audit_entry (
    id      bigint generated always as identity primary key,
    at      timestamptz not null default clock_timestamp(),
    actor   text not null,
    login   text not null,
    act     text not null,
    subject text not null,
    detail  jsonb not null default '{}'
);

comment on column pgtape_core.audit_entry.actor is 'handle of who did it, or the SQL login of who has no account';
comment on column pgtape_core.audit_entry.login is 'SQL login it came through: the server''s, for what was done on the page';
comment on column pgtape_core.audit_entry.subject is 'slug of the market, or handle of the account, that it was done to';

-- +goose Down
drop table pgtape_core.audit_entry cascade;
alter type pgtape_core.account_state drop attribute role cascade;
-- Cascade: to views and functions, which the next migrate up applies again.
alter table pgtape_core.account drop column role cascade;
