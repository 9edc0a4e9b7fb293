-- +goose Up
-- price_order prices an order at the shares outstanding of a market: the quote, and the shares
-- outstanding, the prices and C after the order; or a refusal of what cannot be priced. The outcome *
-- stands for complete sets, one share of each outcome: outcome is null then. cost is C before, if it
-- is known.
-- +goose StatementBegin
create or replace function pgtape_core.price_order(
    market text,
    version bigint,
    outcomes text[],
    liquidity numeric,
    name text,
    side text,
    shares numeric,
    spend numeric,
    outstanding numeric[],
    prices numeric[],
    cost numeric
)
    returns pgtape_core.priced_order
    language plpgsql
    immutable
as $$
declare
    v_outcome integer := array_position(outcomes, name);
    v_refusal pgtape_core.refusal;
    v_change  numeric;
    v_move    pgtape_core.lmsr_change;
begin
    -- 1. Of what outcome, and how many shares?
    if v_outcome is null and name <> '*' then
        name := pgtape_core.outcome_spelled(outcomes, name);
        v_outcome := array_position(outcomes, name);
    end if;
    cost := coalesce(cost, (pgtape_core.lmsr_at(outstanding, liquidity)).cost);
    shares := case
        when spend is null then shares
        when v_outcome is null then spend
        else pgtape_core.lmsr_shares(outstanding, liquidity, v_outcome, spend, cost)
    end;
    v_refusal := case when v_outcome is null and name <> '*' then pgtape_core.no_outcome(market, outcomes, name)
        else pgtape_core.outstanding_error(side, outstanding, v_outcome, name, shares) end;
    if v_refusal.code is not null then
        return (v_outcome, null, null, null, null, v_refusal)::pgtape_core.priced_order;
    end if;

    -- 2. At what price?
    v_change := case side when 'buy' then shares else -shares end;
    v_move := case when v_outcome is null
        then pgtape_core.complete_sets_move(outstanding, v_change, cost, prices)
        else pgtape_core.lmsr_move(outstanding, liquidity, v_outcome, v_change, cost) end;
    return (
        v_outcome,
        (
            market, version, name, side, shares, v_move.amount, pgtape_core.avg_price(v_move.amount, shares),
            coalesce(prices[v_outcome], 1), coalesce(v_move.prices[v_outcome], 1)
        )::pgtape_core.quote,
        v_move.cost, v_move.q_after, v_move.prices, null
    )::pgtape_core.priced_order;
end;
$$;
-- +goose StatementEnd

-- outstanding_error refuses what would leave a book with more shares of an outcome than it can count,
-- or with fewer than none; no code: it can be done. outcome is null for complete sets.
-- +goose StatementBegin
create or replace function pgtape_core.outstanding_error(
    side text,
    outstanding numeric[],
    outcome integer,
    name text,
    shares numeric
)
    returns pgtape_core.refusal
    language plpgsql
    immutable
as $$
declare
    v_outstanding numeric := outstanding[outcome];
begin
    if outcome is null then
        v_outstanding := (
            select case outstanding_error.side when 'buy' then max(q) else min(q) end from unnest(outstanding) q
        );
    end if;
    if side = 'buy' and v_outstanding + shares > 1e12 then
        return (
            'invalid_order', 'a market holds at most 1000000000000 shares of an outcome', null, null
        )::pgtape_core.refusal;
    elsif side = 'sell' and v_outstanding < shares then
        return (
            'insufficient_shares', format('nobody holds %s shares of %s', shares, name),
            'buy the other outcome', null
        )::pgtape_core.refusal;
    end if;
    return null;
end;
$$;
-- +goose StatementEnd
