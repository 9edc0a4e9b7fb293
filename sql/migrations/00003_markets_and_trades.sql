-- +goose Up
-- What a market declares when it is made, and never changes.
create table pgtape_core.market (
    id          bigint generated always as identity primary key,
    slug        text not null unique,
    question    text not null,
    description text not null,
    category    text not null,
    outcomes    text[] not null,
    liquidity   numeric(30, 6) not null,
    subsidy     numeric(30, 6) not null,
    closes_at   timestamptz,
    void_payout numeric(7, 6)[] not null,
    account_id  bigint not null unique references pgtape_core.account,
    funder_id   bigint not null references pgtape_core.account,
    created_at  timestamptz not null,

    constraint two_to_fifty_outcomes check (cardinality(outcomes) between 2 and 50),
    constraint liquidity_positive check (liquidity > 0)
);

comment on column pgtape_core.market.liquidity is 'b of the LMSR: the larger, the less a trade moves the price';
comment on column pgtape_core.market.subsidy is 'escrowed worst loss of the market maker, ceil(b ln n)';
comment on column pgtape_core.market.void_payout is
    'what a share of each outcome pays if the market is voided: declared, since a refund of what was paid can be farmed';
comment on column pgtape_core.market.account_id is 'escrow: holds the subsidy and what traders have paid';

-- The state of a market. Every change locks this row first, so the changes of one market happen
-- one after the other; version is the seq of the last event on its tape.
create table pgtape_core.book (
    market_id   bigint primary key references pgtape_core.market,
    status      text not null,
    version     bigint not null,
    head        bytea not null,
    outstanding numeric(30, 6)[] not null,
    prices      numeric(13, 12)[] not null,
    volume      numeric(30, 6) not null default 0,
    trades      bigint not null default 0,
    proposal    numeric(7, 6)[],
    payout      numeric(7, 6)[],
    updated_at  timestamptz not null,

    constraint status_is_known check (
        status in ('draft', 'open', 'halted', 'closed', 'proposed', 'disputed', 'resolved', 'void')
    ),
    constraint paid_out_when_final check ((payout is not null) = (status in ('resolved', 'void')))
) with (fillfactor = 50);

comment on column pgtape_core.book.head is 'hash of the last event';
comment on column pgtape_core.book.outstanding is 'shares that traders hold, by outcome';
comment on column pgtape_core.book.proposal is 'payout that an operator has proposed, and anybody concerned may dispute';
comment on column pgtape_core.book.volume is 'credits that changed hands in trades';

create table pgtape_core.position (
    account_id bigint not null references pgtape_core.account,
    market_id  bigint not null references pgtape_core.market,
    outcome    smallint not null,
    shares     numeric(30, 6) not null,

    primary key (account_id, market_id, outcome),
    constraint shares_not_negative check (shares >= 0)
) with (fillfactor = 70);

create index position_market on pgtape_core.position (market_id, account_id);

-- Accepted orders: what was asked, every bound included, and what came of it. Append-only.
create table pgtape_core.trade (
    id               bigint generated always as identity primary key,
    market_id        bigint not null,
    seq              bigint not null,
    account_id       bigint not null,
    outcome          smallint,
    side             text not null,
    shares           numeric(30, 6) not null,
    amount           numeric(30, 6) not null,
    price_before     numeric(13, 12) not null,
    price_after      numeric(13, 12) not null,
    balance          numeric(30, 6) not null,
    "position"       numeric(30, 6) not null,
    at               timestamptz not null,
    spend            numeric(30, 6),
    expected_price   numeric,
    expected_version bigint,
    max_slippage_bps integer,
    max_cost         numeric(30, 6),
    min_proceeds     numeric(30, 6),
    deadline         timestamptz,
    idempotency_key  text,
    request_hash     bytea,

    constraint side_is_known check (side in ('buy', 'sell')),
    constraint shares_positive check (shares > 0),
    constraint amount_not_negative check (amount >= 0)
);

comment on column pgtape_core.trade.outcome is 'place among the market''s outcomes; null: complete sets, one share of each';
comment on column pgtape_core.trade.amount is 'credits: paid by the trader for a buy, received for a sale';
comment on column pgtape_core.trade.balance is 'balance of the account after the trade';
comment on column pgtape_core.trade."position" is
    'shares of this outcome, or complete sets, that the account held after the trade';
comment on column pgtape_core.trade.request_hash is 'SHA-256 over the order: one key, one request';

create unique index trade_market_seq on pgtape_core.trade (market_id, seq);
create index trade_account on pgtape_core.trade (account_id, id);
create unique index trade_idempotency on pgtape_core.trade (account_id, idempotency_key)
    where idempotency_key is not null;

-- +goose Down
-- Cascade: to views and functions, which the next migrate up applies again.
drop table pgtape_core.trade cascade;
drop table pgtape_core.position cascade;
drop table pgtape_core.book cascade;
drop table pgtape_core.market cascade;
