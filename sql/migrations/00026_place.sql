-- +goose Up
-- The cost function and the prices at some shares outstanding; and what a move costs and leads to.
create type pgtape_core.lmsr_state as (
    cost   numeric,
    prices numeric[]
);
create type pgtape_core.lmsr_change as (
    amount  numeric,
    cost    numeric,
    prices  numeric[],
    q_after numeric[]
);

-- What an order comes to at the shares outstanding of its market: the quote, and the cost function, the
-- shares outstanding and the prices after it; or a refusal. outcome is null for complete sets.
create type pgtape_core.priced_order as (
    outcome     integer,
    quote       pgtape_core.quote,
    cost        numeric,
    outstanding numeric[],
    prices      numeric[],
    refusal     pgtape_core.refusal
);

-- What a filled order writes; or a refusal. There is no event for a trade that was made before.
create type pgtape_core.filled_order as (
    trade   pgtape_core.trade,
    event   pgtape_core.tape,
    book    pgtape_core.book,
    cost    numeric,
    refusal pgtape_core.refusal
);

-- They return these types now, or their arguments have other names: a function gets either only by being
-- made anew, as soon as all migrations are done.
drop function if exists pgtape_core.lmsr_at(numeric[], numeric);
drop function if exists pgtape_core.lmsr_move(numeric[], numeric, integer, numeric, numeric);
drop function if exists pgtape_core.place(pgtape_core.order_request[], boolean);
drop function if exists pgtape_core.lock_books(bigint[], boolean);

-- +goose Down
-- Cascade: to functions, which the next migrate up applies again.
drop type pgtape_core.filled_order cascade;
drop type pgtape_core.priced_order cascade;
drop type pgtape_core.lmsr_change cascade;
drop type pgtape_core.lmsr_state cascade;
drop function if exists pgtape_core.place(pgtape_core.order_request[], boolean);
drop function if exists pgtape_core.lock_books(bigint[], boolean);
