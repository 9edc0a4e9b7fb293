-- +goose Up
-- Who has left. The account's row, trades and entries stay, under a name that says nothing.
alter table pgtape_core.account
    add column gone_at timestamptz;

comment on column pgtape_core.account.gone_at is
    'when its owner deleted it: nobody signs in as it again, and what is still paid out goes to it';

-- A part of a tape that was written again, because an account that it named was deleted: the only
-- way in which history ever changes, and itself history. Append-only.
create table pgtape_core.rewriting (
    id       bigint generated always as identity primary key,
    at       timestamptz not null default clock_timestamp(),
    xact     xid8 not null default pg_current_xact_id(),
    market   text not null,
    from_seq bigint not null,
    version  bigint not null,
    old_head bytea not null,
    new_head bytea not null,
    why      text not null,

    constraint from_seq_within_the_tape check (from_seq between 1 and version)
);

create index rewriting_market on pgtape_core.rewriting (market, id);

comment on column pgtape_core.rewriting.xact is 'the transaction in which the tape may be updated, and no other';
comment on column pgtape_core.rewriting.market is 'as on the tape: a slug, or house';
comment on column pgtape_core.rewriting.from_seq is 'first event that changed; all behind it have new hashes';
comment on column pgtape_core.rewriting.version is 'last event of the tape at that time; old_head and new_head are its hashes';

-- What somebody has traded in one market is asked for more often than all of it by age.
create index trade_account_market on pgtape_core.trade (account_id, market_id, id);
drop index pgtape_core.trade_account;

-- +goose Down
create index trade_account on pgtape_core.trade (account_id, id);
drop index pgtape_core.trade_account_market;
drop table pgtape_core.rewriting cascade;
-- Cascade: to views and functions, which the next migrate up applies again.
alter table pgtape_core.account drop column gone_at cascade;
