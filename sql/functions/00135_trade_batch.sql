-- +goose Up
-- Many orders in one transaction: each is accepted or refused on its own, every bound checked against
-- the price at its place. Orders of one account see each other's effects. It is what a queue of
-- orders is handed over by; the rules are place's.

-- trade_batch carries out orders of one market in their turn.
-- orders: a JSON array of objects whose members are the arguments of pgtape.trade (but market).
-- Returns a row for each, in order: its receipt, or its refusal ({code, message, hint, detail}).
-- Locks:  the market's book, then, by ascending id, the accounts of all orders that the caller may
--         act for: nobody can hold up others.
-- Writes: trade, position, ledger_entry, account, book, tape.
-- Raises: TP007 no such market, TP008 orders is no such array.
-- +goose StatementBegin
create or replace function pgtape.trade_batch(market text, orders jsonb)
    returns table (n integer, receipt pgtape_core.receipt, refusal jsonb)
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_orders pgtape_core.order_request[];
    v_placed record;
begin
    perform pgtape_core.find_market(market);
    v_orders := pgtape_core.orders_of(orders, market);
    v_placed := pgtape_core.place(v_orders, wait => true);
    return query
        select i, v_placed.receipts[i], to_jsonb(v_placed.refusals[i])
        from generate_subscripts(v_orders, 1) i;
end;
$$;
-- +goose StatementEnd

-- trade_batch carries out orders of several markets, those of each market in their turn. It waits for
-- nobody, and so holds up none of them for another: an order whose market or account somebody else
-- has locked is left alone, and has no row.
-- orders: as above, with the member market.
-- Locks:  the books, then the accounts of all orders; what is locked already is left out.
-- Writes: trade, position, ledger_entry, account, book, tape.
-- Raises: TP008 orders is no such array.
-- +goose StatementBegin
create or replace function pgtape.trade_batch(orders jsonb)
    returns table (n integer, receipt pgtape_core.receipt, refusal jsonb)
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_orders pgtape_core.order_request[] := pgtape_core.orders_of(orders, null);
    v_placed record := pgtape_core.place(v_orders, wait => false);
begin
    return query
        select i, v_placed.receipts[i], to_jsonb(v_placed.refusals[i])
        from generate_subscripts(v_orders, 1) i
        where not (v_placed.receipts[i] is null and v_placed.refusals[i] is null);
end;
$$;
-- +goose StatementEnd

-- orders_of reads orders; all are of the market, if one is given.
-- Raises: TP008 orders is no array of them.
-- +goose StatementBegin
create or replace function pgtape_core.orders_of(orders jsonb, market text)
    returns pgtape_core.order_request[]
    language plpgsql
    stable
as $$
begin
    return (
        select coalesce(array_agg((
            coalesce(orders_of.market, r.market), r.outcome, r.side, r.shares, r.spend, r.expected_price,
            r.expected_version,
            r.max_slippage_bps, r.max_cost, r.min_proceeds, r.deadline, r.idempotency_key, r.account
        )::pgtape_core.order_request order by r.i), '{}')
        from rows from (jsonb_populate_recordset(null::pgtape_core.order_request, orders)) with ordinality as r (
            market, outcome, side, shares, spend, expected_price, expected_version, max_slippage_bps, max_cost,
            min_proceeds, deadline, idempotency_key, account, i
        )
    );
exception
    when data_exception then
        perform pgtape_core.refuse(
            'invalid_order', 'orders must be a JSON array of orders: ' || pgtape_core.excerpt(sqlerrm)
        );
end;
$$;
-- +goose StatementEnd
