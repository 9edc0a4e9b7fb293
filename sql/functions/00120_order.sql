-- +goose Up
-- order_error says what is wrong with an order in itself, whatever the market's state; no code: nothing.
-- +goose StatementBegin
create or replace function pgtape_core.order_error(o pgtape_core.order_request)
    returns pgtape_core.refusal
    language plpgsql
    immutable
as $$
declare
    v_error text := case
        when o.market is null then 'market is missing'
        when o.outcome is null or o.outcome = '' then 'outcome is missing'
        when o.side is null or o.side not in ('buy', 'sell') then 'side must be buy or sell'
        when (o.shares is null) = (o.spend is null) then 'give exactly one of shares and spend'
        when o.side = 'sell' and o.spend is not null then 'spend is for buying; sell a number of shares'
        when o.side = 'sell' and o.max_cost is not null then 'max_cost is a bound for buying; give min_proceeds'
        when o.side = 'buy' and o.min_proceeds is not null then 'min_proceeds is a bound for selling; give max_cost'
        when o.expected_price in ('NaN', 'Infinity', '-Infinity') or o.expected_price not between 0 and 1 then
            'expected_price must lie between 0 and 1'
        when min_scale(o.expected_price) > 12 then 'expected_price has more than 12 decimals'
        when o.max_slippage_bps not between 0 and 10000 then 'max_slippage_bps must lie between 0 and 10000'
        when o.max_slippage_bps is not null and o.expected_price is null then 'max_slippage_bps needs expected_price'
        when o.expected_version < 1 then 'expected_version must be positive'
        when o.idempotency_key is not null and length(o.idempotency_key) not between 1 and 255 then
            'an idempotency key has 1 to 255 characters'
        else coalesce(
            pgtape_core.amount_error('shares', o.shares),
            pgtape_core.amount_error('spend', o.spend),
            pgtape_core.amount_error('max_cost', o.max_cost),
            pgtape_core.amount_error('min_proceeds', o.min_proceeds, 0),
            pgtape_core.time_error('deadline', o.deadline)
        )
    end;
begin
    if v_error is not null then
        return ('invalid_order', v_error, null, null)::pgtape_core.refusal;
    end if;
    -- No blind orders: the price may move between looking and acting.
    if o.max_slippage_bps is null and o.max_cost is null and o.min_proceeds is null then
        return (
            'invalid_order', 'the order has no bound',
            'give max_cost (or min_proceeds, to sell), or expected_price with max_slippage_bps', null
        )::pgtape_core.refusal;
    end if;
    return null;
end;
$$;
-- +goose StatementEnd

-- request_hash is SHA-256 over all that an order asks for, so that a key stands for one request.
-- 10 and 10.000000 ask for the same.
-- +goose StatementBegin
create or replace function pgtape_core.request_hash(o pgtape_core.order_request)
    returns bytea
    language plpgsql
    immutable
as $$
begin
    return sha256(convert_to(array[
        o.market, o.outcome, o.side, trim_scale(o.shares)::text, trim_scale(o.spend)::text,
        trim_scale(o.expected_price)::text, o.expected_version::text, o.max_slippage_bps::text,
        trim_scale(o.max_cost)::text, trim_scale(o.min_proceeds)::text, pgtape_core.json_time(o.deadline)
    ]::text, 'UTF8'));
end;
$$;
-- +goose StatementEnd

-- closed_error refuses orders to a market that does not trade at this instant, and those whose
-- deadline has passed; no code: neither.
-- +goose StatementBegin
create or replace function pgtape_core.closed_error(
    market text,
    status text,
    closes_at timestamptz,
    deadline timestamptz,
    at timestamptz
)
    returns pgtape_core.refusal
    language plpgsql
    immutable
as $$
declare
    v_status text := case when status = 'open' and closes_at <= at then 'closed' else status end;
begin
    if v_status <> 'open' then
        return (
            'market_not_open', format('the market %s is %s', market, v_status), null,
            jsonb_build_object('market', market, 'market_status', v_status)
        )::pgtape_core.refusal;
    elsif deadline < at then
        return (
            'deadline_passed', format('the deadline %s has passed', pgtape_core.json_time(deadline)),
            'quote again', null
        )::pgtape_core.refusal;
    end if;
    return null;
end;
$$;
-- +goose StatementEnd

-- no_outcome is the refusal of an outcome that the market does not have.
-- +goose StatementBegin
create or replace function pgtape_core.no_outcome(market text, outcomes text[], outcome text)
    returns pgtape_core.refusal
    language plpgsql
    immutable
as $$
begin
    return (
        'not_found', format('the market %s has no outcome %s', market, pgtape_core.excerpt(outcome)),
        'its outcomes are ' || array_to_string(outcomes, ', '),
        jsonb_build_object('market', market, 'outcomes', outcomes)
    )::pgtape_core.refusal;
end;
$$;
-- +goose StatementEnd

-- json_quote gives a quote as JSON: an order that repeats it, with expected_price its avg_price
-- and expected_version its version, can be sent as it is.
-- +goose StatementBegin
create or replace function pgtape_core.json_quote(q pgtape_core.quote, spend numeric)
    returns jsonb
    language sql
    immutable
as $$
    select jsonb_build_object(
        'market', q.market, 'version', q.version, 'outcome', q.outcome, 'side', q.side,
        'shares', q.shares::text, 'amount', q.amount::text, 'avg_price', q.avg_price::text,
        'price_before', q.price_before::text, 'price_after', q.price_after::text
    ) || case when spend is null then '{}' else jsonb_build_object('spend', spend::numeric(30, 6)::text) end;
$$;
-- +goose StatementEnd

-- stale_quote refuses an order whose bounds the quote of this instant does not keep; no code: it
-- keeps them all. A version that has moved is no reason while the bounds hold, and a better fill
-- is given. avg_price has 12 decimals, so that without slippage not a micro more is charged, up to
-- a million shares; who buys more and minds adds max_cost.
-- +goose StatementBegin
create or replace function pgtape_core.stale_quote(
    o pgtape_core.order_request,
    q pgtape_core.quote
)
    returns pgtape_core.refusal
    language plpgsql
    immutable
as $$
declare
    v_slippage numeric := o.max_slippage_bps / 10000.0;
    v_bound    text := case
        when o.expected_version > q.version then 'expected_version'
        when o.side = 'buy' and q.avg_price > o.expected_price * (1 + v_slippage) then 'max_slippage_bps'
        when o.side = 'sell' and q.avg_price < o.expected_price * (1 - v_slippage) then 'max_slippage_bps'
        when q.amount > o.max_cost then 'max_cost'
        when q.amount < o.min_proceeds then 'min_proceeds'
    end;
begin
    if v_bound is null then
        return null;
    end if;
    return (
        'stale_quote',
        format(
            '%s %s %s now %s %s credits (average price %s), beyond the bound %s',
            case o.side when 'buy' then 'buying' else 'selling' end, q.shares, q.outcome,
            case o.side when 'buy' then 'costs' else 'brings' end, q.amount, q.avg_price, v_bound
        ),
        'look at the fresh quote in DETAIL and, if you still want it, send it as the new bound',
        jsonb_build_object(
            'bound', v_bound, 'quoted_version', o.expected_version, 'version', q.version,
            'quote', pgtape_core.json_quote(q, o.spend)
        )
    )::pgtape_core.refusal;
end;
$$;
-- +goose StatementEnd
