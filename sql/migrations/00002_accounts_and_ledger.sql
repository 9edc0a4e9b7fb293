-- +goose Up
-- Credits have 6 decimals. The house issues them: its balance is the negative of all others.
create table pgtape_core.account (
    id         bigint generated always as identity primary key,
    handle     text not null,
    kind       text not null default 'person',
    balance    numeric(30, 6) not null default 0,
    created_at timestamptz not null default clock_timestamp(),

    constraint kind_is_known check (kind in ('person', 'house', 'market')),
    constraint balance_not_negative check (balance >= 0 or kind = 'house')
) with (fillfactor = 70);

-- Ana and ana are one person.
create unique index account_handle on pgtape_core.account (lower(handle));

comment on column pgtape_core.account.kind is
    'person: somebody who trades; house: the issuer of credits; market: the escrow of one market';

-- Double entry: the entries of one transaction sum to 0. Append-only.
-- No foreign keys here, on trade and on tape: these rows are written by one function each, from
-- rows it has locked, and pgtape.verify() proves what a key would have checked on every insert.
create table pgtape_core.ledger_entry (
    transaction_id bigint not null,
    account_id     bigint not null,
    amount         numeric(30, 6) not null,
    kind           text not null,
    market_id      bigint,
    seq            bigint,
    at             timestamptz not null,

    primary key (transaction_id, account_id),
    constraint amount_moves_something check (amount <> 0),
    constraint kind_is_known check (
        kind in ('opening_grant', 'grant', 'subsidy', 'trade', 'payout', 'subsidy_return', 'correction')
    )
);

create index ledger_entry_account on pgtape_core.ledger_entry (account_id, transaction_id);

create sequence pgtape_core.ledger_transaction as bigint;

-- Who a person's own SQL login trades as.
create table pgtape_core.login (
    role_name  text primary key,
    account_id bigint not null references pgtape_core.account
);

-- A browser that has signed in. The token itself is never stored.
create table pgtape_core.session (
    token_hash bytea primary key,
    account_id bigint not null references pgtape_core.account,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
);

create table pgtape_core.setting (
    name  text primary key,
    value text not null
);

insert into pgtape_core.setting (name, value) values ('opening_balance', '1000');

insert into pgtape_core.account (handle, kind) values ('house', 'house');

-- +goose Down
-- Cascade: to views and functions, which the next migrate up applies again.
drop table pgtape_core.setting cascade;
drop table pgtape_core.session cascade;
drop table pgtape_core.login cascade;
drop sequence pgtape_core.ledger_transaction cascade;
drop table pgtape_core.ledger_entry cascade;
drop table pgtape_core.account cascade;
