-- +goose Up
-- trade buys or sells shares of one outcome, within the bounds given, or raises and writes nothing.
-- Locks:  the market's book, then the account.
-- Writes: trade, position, ledger_entry, account, book, tape.
-- Raises: TP001 a bound fails (DETAIL has a fresh quote), TP002 market not open, TP003 funds,
--         TP004 shares, TP005 deadline, TP006 key used for another order, TP007 no such market,
--         outcome or account, TP008 bad order, TP009 another's account.
-- +goose StatementBegin
create or replace function pgtape.trade(
    market text,
    outcome text,
    side text,
    shares numeric default null,
    spend numeric default null,
    expected_price numeric default null,
    expected_version bigint default null,
    max_slippage_bps integer default null,
    max_cost numeric default null,
    min_proceeds numeric default null,
    deadline timestamptz default null,
    idempotency_key text default null,
    account text default null
)
    returns pgtape_core.receipt
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_placed record;
begin
    v_placed := pgtape_core.place(array[(
        market, outcome, side, shares, spend, expected_price, expected_version, max_slippage_bps, max_cost,
        min_proceeds, deadline, idempotency_key, account
    )::pgtape_core.order_request], wait => true);
    perform pgtape_core.raise_refusal(v_placed.refusals[1]);
    return v_placed.receipts[1];
end;
$$;
-- +goose StatementEnd
