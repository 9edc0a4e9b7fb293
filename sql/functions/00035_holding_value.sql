-- +goose Up
-- What shares are worth: what selling them would bring.

-- holding_value gives what selling a whole holding of a market would bring, so many shares of these
-- outcomes together: C(q) - C(q less the holding), which is -b ln sum p_i exp(-h_i / b), rounded down
-- as lmsr_move rounds. It is the one definition of what shares are worth. Valuing each outcome as if
-- the others were kept would be another, and wrong: the sale of one moves the price of all.
-- Whoever redeems the complete sets at exactly 1 and sells the rest receives this, or a micro less
-- for each further sale, since each is rounded down. Security definer, since views call it.
-- +goose StatementBegin
create or replace function pgtape_core.holding_value(q numeric[], b numeric, outcomes integer[], shares numeric[])
    returns numeric
    language plpgsql
    immutable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_rest  numeric[] := q;
    v_most  numeric := 0;
    v_least numeric;
    v_exact numeric;
    v_guard numeric := b * 1e-36;
    v_low   numeric;
    v_high  numeric;
begin
    for k in 1 .. coalesce(cardinality(outcomes), 0) loop
        v_rest[outcomes[k]] := v_rest[outcomes[k]] - shares[k];
        v_most := greatest(v_most, shares[k]);
        v_least := least(v_least, shares[k]);
    end loop;
    if v_most = 0 or cardinality(outcomes) < cardinality(q) then
        v_least := 0;
    end if;
    if v_least = v_most then
        return round(v_most, 6); -- nothing, or complete sets
    end if;

    v_exact := (pgtape_core.lmsr_at(q, b)).cost - (pgtape_core.lmsr_at(v_rest, b)).cost;
    v_low := floor((v_exact - v_guard) * 1000000) / 1000000;
    v_high := floor((v_exact + v_guard) * 1000000) / 1000000;
    if v_low <> v_high and pgtape_core.lmsr_is_shift(v_rest, q, v_high) then
        v_low := v_high;
    end if;
    -- Strictly between the complete sets in it and what could be paid out at most.
    return round(least(greatest(v_low, v_least), v_most - 0.000001), 6);
end;
$$;
-- +goose StatementEnd

-- holding_value_at gives holding_value by prices that were rounded to 12 decimals, as the tape has
-- them; null where they are not exact enough to tell it to 0.00001 credits, because what is left of
-- the weights after the sale is too small for them. Complete sets are taken out first, at exactly 1.
-- +goose StatementBegin
create or replace function pgtape_core.holding_value_at(
    prices numeric[],
    b numeric,
    outcomes integer[],
    shares numeric[]
)
    returns numeric
    language plpgsql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_sets     numeric := case when cardinality(outcomes) = cardinality(prices)
        then (select min(s) from unnest(shares) s) else 0 end;
    v_exponent numeric;
    v_left     numeric := 1;
begin
    for k in 1 .. cardinality(outcomes) loop
        v_exponent := round(v_sets - shares[k], 40) / b;
        v_left := v_left - prices[outcomes[k]] * (
            1 - case when v_exponent < -97 then 0 else exp(round(v_exponent, 30)) end
        );
    end loop;
    if v_left < b * cardinality(prices) * 1e-7 then
        return null;
    end if;
    return trunc(v_sets - b * ln(round(v_left, 30)), 6);
end;
$$;
-- +goose StatementEnd

-- holding_part gives the part that one outcome has in the value of a whole holding, before the market
-- has paid out and after it: by shares times price, or times what they pay. The parts add up to the
-- value, to the micro. Security definer, since views call it.
-- +goose StatementBegin
create or replace function pgtape_core.holding_part(
    q numeric[],
    b numeric,
    prices numeric[],
    payout numeric[],
    outcomes integer[],
    shares numeric[],
    outcome integer
)
    returns numeric
    language plpgsql
    immutable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_rates  numeric[] := coalesce(payout, prices);
    v_value  numeric := 0;
    v_before numeric := 0;
    v_part   numeric := 0;
    v_whole  numeric := 0;
    v_weight numeric;
begin
    for k in 1 .. cardinality(outcomes) loop
        v_whole := v_whole + shares[k] * v_rates[outcomes[k]];
    end loop;
    v_value := case when payout is null then pgtape_core.holding_value(q, b, outcomes, shares)
        else trunc(v_whole, 6) end;
    if v_value = 0 then
        return round(0, 6);
    end if;
    -- All at prices that 12 decimals show as 0: then by shares.
    if v_whole = 0 then
        v_rates := array_fill(1::numeric, array[cardinality(v_rates)]);
        v_whole := (select sum(s) from unnest(shares) s);
    end if;
    for k in 1 .. cardinality(outcomes) loop
        v_weight := shares[k] * v_rates[outcomes[k]];
        if outcomes[k] < outcome then
            v_before := v_before + v_weight;
        elsif outcomes[k] = outcome then
            v_part := v_weight;
        end if;
    end loop;
    return round(trunc(v_value * (v_before + v_part) / v_whole, 6) - trunc(v_value * v_before / v_whole, 6), 6);
end;
$$;
-- +goose StatementEnd
