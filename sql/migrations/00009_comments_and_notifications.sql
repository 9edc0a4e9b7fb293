-- +goose Up
-- What people say about markets. That somebody did is an event on the market's tape; what he said is
-- only here, since it may have to be taken away, and a hash chain takes nothing away.
create table pgtape_core.comment (
    id              bigint generated always as identity primary key,
    market_id       bigint not null references pgtape_core.market,
    account_id      bigint not null references pgtape_core.account,
    seq             bigint not null,
    body            text not null,
    at              timestamptz not null,
    idempotency_key text,

    constraint body_has_1_to_2000_characters check (length(body) between 1 and 2000)
);

comment on column pgtape_core.comment.seq is 'its event on the tape of the market, of kind commented';
comment on column pgtape_core.comment.body is 'Markdown, as written';

create index comment_market on pgtape_core.comment (market_id, id);
create index comment_account on pgtape_core.comment (account_id);
create unique index comment_idempotency on pgtape_core.comment (account_id, idempotency_key collate "C")
    where idempotency_key is not null;

-- What an account is told. No trade writes here: that a market was traded, or closes soon, is found
-- when somebody looks.
create table pgtape_core.notification (
    id         bigint generated always as identity primary key,
    account_id bigint not null references pgtape_core.account,
    kind       text not null,
    market_id  bigint not null references pgtape_core.market,
    seq        bigint not null,
    detail     jsonb not null default '{}',
    created_at timestamptz not null,
    read_at    timestamptz,

    constraint kind_is_known check (kind in ('resolved', 'proposed', 'traded', 'mention', 'comment', 'closing_soon')),
    constraint nobody_is_told_twice unique (account_id, market_id, kind, seq)
);

comment on column pgtape_core.notification.seq is
    'the event that it tells of; of kind traded, the one behind which it counts; 0 for closing_soon';

create index notification_account on pgtape_core.notification (account_id, created_at, id);
create index notification_market on pgtape_core.notification (market_id, seq);
create index market_funder on pgtape_core.market (funder_id);

-- The few events of a market that are its life, among very many others. A trade writes none of it.
create index tape_life on pgtape_core.tape (market, seq) where kind not in ('trade', 'commented', 'comment_removed');

create type pgtape_core.comment_state as (
    id      bigint,
    market  text,
    seq     bigint,
    account text,
    body    text,
    at      timestamptz
);

-- +goose Down
-- Cascade: to views and functions, which the next migrate up applies again.
drop type pgtape_core.comment_state cascade;
drop index pgtape_core.tape_life;
drop index pgtape_core.market_funder;
drop table pgtape_core.notification cascade;
drop table pgtape_core.comment cascade;
