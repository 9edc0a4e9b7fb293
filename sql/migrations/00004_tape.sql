-- +goose Up
-- One gapless sequence of events per market: seq 1, 2, 3, … allocated under the lock of the
-- market's book, so that commit order and seq order agree. Append-only, insert-only: readers that
-- tail it need no replica identity. Each event holds the hash of the one before it and its own.
create table pgtape_core.tape (
    market    text not null,
    seq       bigint not null,
    at        timestamptz not null,
    kind      text not null,
    body      text not null,
    prev_hash bytea not null,
    hash      bytea not null,

    primary key (market, seq),
    constraint seq_positive check (seq > 0)
);

comment on column pgtape_core.tape.market is
    'slug: the row says all that a reader of the WAL needs; house: accounts and grants, which are of no market';
comment on column pgtape_core.tape.body is 'JSON object in a fixed text form, as hashed and as sent';
comment on column pgtape_core.tape.hash is
    'SHA-256 over prev_hash and market, seq, at, kind, body: see pgtape_core.event_hash';

-- Where the tape of the house stands. Its row is locked by whoever makes an account or grants.
create table pgtape_core.house_tape (
    singleton boolean primary key default true,
    version   bigint not null default 0,
    head      bytea not null default decode(repeat('00', 32), 'hex'),

    constraint one_house check (singleton)
);

insert into pgtape_core.house_tape default values;

create publication pgtape_tape for table pgtape_core.tape with (publish = 'insert');

-- Whether commits ring (NOTIFY). A reader in notify mode keeps ringing_until ahead of the clock;
-- while nobody does, a trade pays nothing for it.
create table pgtape_core.doorbell (
    singleton     boolean primary key default true,
    ringing_until timestamptz not null default '-infinity',

    constraint one_doorbell check (singleton)
);

insert into pgtape_core.doorbell default values;

-- +goose Down
-- Cascade: to views and functions, which the next migrate up applies again.
drop table pgtape_core.doorbell cascade;
drop publication pgtape_tape;
drop table pgtape_core.house_tape cascade;
drop table pgtape_core.tape cascade;
