-- +goose Up
-- quote tells what an order would do to the market as it stands. It promises nothing: the bounds
-- of pgtape.trade do. Anybody may ask.
-- Raises: TP002 market not open, TP004 nobody holds as much, TP007 no such market or outcome, TP008 bad order.
-- +goose StatementBegin
create or replace function pgtape.quote(
    market text,
    outcome text,
    side text,
    shares numeric default null,
    spend numeric default null
)
    returns pgtape_core.quote
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_order  pgtape_core.order_request;
    v_market pgtape_core.market;
    v_book   pgtape_core.book;
    v_priced pgtape_core.priced_order;
begin
    v_order.market := market;
    v_order.outcome := outcome;
    v_order.side := side;
    v_order.shares := shares;
    v_order.spend := spend;
    -- A question needs no bound: it is checked as an order that accepts any price.
    v_order.expected_price := case side when 'sell' then 0 else 1 end;
    v_order.max_slippage_bps := 0;
    perform pgtape_core.raise_refusal(pgtape_core.order_error(v_order));

    v_market := pgtape_core.find_market(market);
    select b.* into v_book from pgtape_core.book b where b.market_id = v_market.id;
    perform pgtape_core.raise_refusal(
        pgtape_core.closed_error(v_market.slug, v_book.status, v_market.closes_at, null, clock_timestamp())
    );

    v_priced := pgtape_core.price_order(
        v_market.slug, v_book.version, v_market.outcomes, v_market.liquidity, outcome, side, shares, spend,
        v_book.outstanding, v_book.prices, null
    );
    perform pgtape_core.raise_refusal(v_priced.refusal);
    return v_priced.quote;
end;
$$;
-- +goose StatementEnd
