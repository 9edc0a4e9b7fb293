-- +goose Up
-- What a caller is told when something is turned down: code is one word of the table in
-- pgtape_core.sqlstate_of, detail a JSON object for programs, hint what to do next.
create type pgtape_core.refusal as (
    code    text,
    message text,
    hint    text,
    detail  jsonb
);

create type pgtape_core.account_state as (
    handle     text,
    balance    numeric(30, 6),
    created_at timestamptz
);

-- Prices and numbers of shares stand in the order of outcomes.
create type pgtape_core.market_state as (
    slug        text,
    question    text,
    description text,
    category    text,
    status      text,
    outcomes    text[],
    prices      numeric(13, 12)[],
    outstanding numeric(30, 6)[],
    liquidity   numeric(30, 6),
    subsidy     numeric(30, 6),
    volume      numeric(30, 6),
    trades      bigint,
    traders     bigint,
    version     bigint,
    cursor      text,
    created_at  timestamptz,
    created_by  text,
    closes_at   timestamptz,
    updated_at  timestamptz,
    void_payout numeric(7, 6)[],
    proposal    numeric(7, 6)[],
    payout      numeric(7, 6)[]
);

-- What an order would do at the version it names.
create type pgtape_core.quote as (
    market       text,
    version      bigint,
    outcome      text,
    side         text,
    shares       numeric(30, 6),
    amount       numeric(30, 6),
    avg_price    numeric(13, 12),
    price_before numeric(13, 12),
    price_after  numeric(13, 12)
);

-- What an order asks for.
create type pgtape_core.order_request as (
    market           text,
    outcome          text,
    side             text,
    shares           numeric,
    spend            numeric,
    expected_price   numeric,
    expected_version bigint,
    max_slippage_bps integer,
    max_cost         numeric,
    min_proceeds     numeric,
    deadline         timestamptz,
    idempotency_key  text,
    account          text
);

-- What an accepted order did; version is the market's after it.
create type pgtape_core.receipt as (
    market       text,
    version      bigint,
    outcome      text,
    side         text,
    shares       numeric(30, 6),
    amount       numeric(30, 6),
    avg_price    numeric(13, 12),
    price_before numeric(13, 12),
    price_after  numeric(13, 12),
    trade_id     bigint,
    account      text,
    balance      numeric(30, 6),
    "position"   numeric(30, 6),
    at           timestamptz,
    replayed     boolean
);

-- +goose Down
-- Cascade: to views and functions, which the next migrate up applies again.
drop type pgtape_core.receipt cascade;
drop type pgtape_core.order_request cascade;
drop type pgtape_core.quote cascade;
drop type pgtape_core.market_state cascade;
drop type pgtape_core.account_state cascade;
drop type pgtape_core.refusal cascade;
