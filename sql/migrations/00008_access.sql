-- +goose Up
-- Ways in: passwords, sessions that their owner can tell apart, API keys, invites, links that sign in
-- once, identities at a provider. Of every secret there is only a hash.
-- It tells more now; the functions are applied after this.
drop function if exists pgtape.session_account(bytea);

alter table pgtape_core.session
    add column id bigint generated always as identity,
    add column label text not null default '',
    add column last_seen_at timestamptz not null default clock_timestamp();

create unique index session_id on pgtape_core.session (id);
create index session_account on pgtape_core.session (account_id);

comment on column pgtape_core.session.label is 'what its owner knows the browser by, such as Firefox on Linux';

create table pgtape_core.credential (
    account_id bigint primary key references pgtape_core.account,
    phc        text not null,
    changed_at timestamptz not null default clock_timestamp(),

    constraint phc_is_argon2id check (phc like '$argon2id$%')
);

create table pgtape_core.sign_in_link (
    token_hash bytea primary key,
    account_id bigint not null references pgtape_core.account,
    expires_at timestamptz not null
);

create index sign_in_link_account on pgtape_core.sign_in_link (account_id);

create table pgtape_core.api_key (
    id           bigint generated always as identity primary key,
    account_id   bigint not null references pgtape_core.account,
    key_hash     bytea not null unique,
    name         text not null,
    prefix       text not null,
    scopes       text[] not null,
    created_at   timestamptz not null default clock_timestamp(),
    expires_at   timestamptz,
    last_used_at timestamptz,

    constraint scopes_are_known check (scopes <@ '{read,trade,operate}' and cardinality(scopes) > 0)
);

create index api_key_account on pgtape_core.api_key (account_id);

create table pgtape_core.invite (
    id         bigint generated always as identity primary key,
    code_hash  bytea not null unique,
    account_id bigint references pgtape_core.account,
    made_by    text not null,
    role       text not null,
    uses       integer not null,
    used       integer not null default 0,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,

    constraint role_is_known check (role in ('trader', 'operator', 'admin')),
    constraint uses_not_exceeded check (used between 0 and uses)
);

create index invite_account on pgtape_core.invite (account_id);

comment on column pgtape_core.invite.account_id is 'whose it is; null: of an SQL login without an account';

create table pgtape_core.identity (
    issuer     text not null,
    subject    text not null,
    account_id bigint not null unique references pgtape_core.account,
    created_at timestamptz not null default clock_timestamp(),

    primary key (issuer, subject)
);

-- What a browser that is away at the provider will come back to.
create table pgtape_core.oidc_flow (
    token_hash bytea primary key,
    body       jsonb not null,
    expires_at timestamptz not null
);

-- +goose Down
-- Cascade: to functions, which the next migrate up applies again.
drop table pgtape_core.oidc_flow cascade;
drop table pgtape_core.identity cascade;
drop table pgtape_core.invite cascade;
drop table pgtape_core.api_key cascade;
drop table pgtape_core.sign_in_link cascade;
drop table pgtape_core.credential cascade;
drop index pgtape_core.session_account;
alter table pgtape_core.session
    drop column id,
    drop column label,
    drop column last_seen_at;
