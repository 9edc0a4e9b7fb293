-- +goose Up
-- The logarithmic market scoring rule (R. Hanson, "Logarithmic Market Scoring Rules for Modular
-- Combinatorial Information Aggregation", 2007): with q shares outstanding per outcome,
--     C(q) = m + b ln sum exp((q_i - m) / b),  m = max q;   price_i = exp((q_i - m) / b) / sum.
-- All in numeric. Postgres computes exp and ln to the scale of their argument, so arguments carry
-- 40 decimals; with at most 50 outcomes a difference of two C is then exact to b * 1e-36.

-- lmsr_at gives the cost function and the prices at q. Prices are rounded to 12 decimals so that
-- they sum to 1 (largest remainder; of equal remainders the last).
-- +goose StatementBegin
create or replace function pgtape_core.lmsr_at(
    q numeric[],
    b numeric
)
    returns pgtape_core.lmsr_state
    language plpgsql
    immutable
as $$
declare
    cost        numeric;
    prices      numeric[];
    v_max       numeric := q[1];
    v_exponent  numeric;
    v_weights   numeric[] := '{}';
    v_sum       numeric := 0;
    v_remainder numeric[] := '{}';
    v_price     numeric;
    v_missing   numeric := 1;
    v_at        integer;
begin
    for i in 2 .. cardinality(q) loop
        v_max := greatest(v_max, q[i]);
    end loop;

    for i in 1 .. cardinality(q) loop
        v_exponent := round(q[i] - v_max, 40) / b;
        -- Below exp(-97) = 7e-43 a term is no part of the 40 decimals.
        v_weights[i] := case
            when v_exponent = 0 then 1
            when v_exponent < -97 then 0
            else round(exp(round(v_exponent, 40)), 40)
        end;
        v_sum := v_sum + v_weights[i];
    end loop;
    cost := v_max + round(b * ln(round(v_sum, 40)), 40);

    for i in 1 .. cardinality(q) loop
        v_price := round(v_weights[i], 40) / v_sum;
        prices[i] := trunc(v_price, 12);
        v_remainder[i] := v_price - prices[i];
        v_missing := v_missing - prices[i];
    end loop;
    while v_missing > 0 loop
        v_at := 1;
        for i in 2 .. cardinality(q) loop
            if v_remainder[i] >= v_remainder[v_at] then
                v_at := i;
            end if;
        end loop;
        prices[v_at] := prices[v_at] + 0.000000000001;
        v_remainder[v_at] := -1;
        v_missing := v_missing - 0.000000000001;
    end loop;
    return (cost, prices)::pgtape_core.lmsr_state;
end;
$$;
-- +goose StatementEnd

-- lmsr_charge prices a move of delta shares (negative: a sale) of one outcome, with the prices on
-- both sides of it.
-- +goose StatementBegin
create or replace function pgtape_core.lmsr_charge(
    q numeric[],
    b numeric,
    outcome integer,
    delta numeric,
    out amount numeric,
    out prices_before numeric[],
    out prices_after numeric[],
    out q_after numeric[]
)
    language plpgsql
    immutable
as $$
declare
    v_before pgtape_core.lmsr_state := pgtape_core.lmsr_at(q, b);
    v_move   pgtape_core.lmsr_change := pgtape_core.lmsr_move(q, b, outcome, delta, v_before.cost);
begin
    amount := v_move.amount;
    prices_before := v_before.prices;
    prices_after := v_move.prices;
    q_after := v_move.q_after;
end;
$$;
-- +goose StatementEnd

-- lmsr_move prices a move from where the cost function is known. The amount is what a buyer pays,
-- rounded up to 6 decimals, or a seller receives, rounded down: rounding never pays a trader. Where
-- 40 decimals cannot tell on which side of a micro the exact amount lies, it is taken for exact if
-- it provably is one, and otherwise rounded against the trader.
-- +goose StatementBegin
create or replace function pgtape_core.lmsr_move(
    q numeric[],
    b numeric,
    outcome integer,
    delta numeric,
    cost_before numeric
)
    returns pgtape_core.lmsr_change
    language plpgsql
    immutable
as $$
declare
    amount  numeric;
    q_after numeric[] := q;
    v_after pgtape_core.lmsr_state;
    v_exact numeric;
    v_guard numeric := b * 1e-36;
    v_low   numeric;
    v_high  numeric;
begin
    q_after[outcome] := q[outcome] + delta;
    v_after := pgtape_core.lmsr_at(q_after, b);

    v_exact := sign(delta) * (v_after.cost - cost_before);
    if delta > 0 then
        v_low := ceil((v_exact - v_guard) * 1000000) / 1000000;
        v_high := ceil((v_exact + v_guard) * 1000000) / 1000000;
        amount := v_high;
    else
        v_low := floor((v_exact - v_guard) * 1000000) / 1000000;
        v_high := floor((v_exact + v_guard) * 1000000) / 1000000;
        amount := v_low;
    end if;
    if v_low <> v_high and pgtape_core.lmsr_is_shift(q, q_after, sign(delta) * round(v_exact, 6)) then
        amount := round(v_exact, 6);
    end if;

    -- A price lies strictly between 0 and 1, whatever 12 decimals show of it: a buyer pays at
    -- least a micro and at most 1 a share, a seller receives less than 1 a share.
    amount := round(case
        when delta > 0 then least(greatest(amount, 0.000001), delta)
        else least(greatest(amount, 0), -delta - 0.000001)
    end, 6);
    return (amount, v_after.cost, v_after.prices, q_after)::pgtape_core.lmsr_change;
end;
$$;
-- +goose StatementEnd

-- complete_sets_move is lmsr_move for complete sets, one share of each outcome: C moves by exactly 1
-- with each, and no price moves.
-- +goose StatementBegin
create or replace function pgtape_core.complete_sets_move(
    q numeric[],
    sets numeric,
    cost_before numeric,
    prices numeric[]
)
    returns pgtape_core.lmsr_change
    language plpgsql
    immutable
as $$
begin
    return (
        abs(sets), cost_before + sets, prices,
        array(select x.q + sets from unnest(q) with ordinality as x (q, i) order by x.i)
    )::pgtape_core.lmsr_change;
end;
$$;
-- +goose StatementEnd

-- lmsr_is_shift tells whether q_after is q moved by the same amount in every outcome, up to the
-- order of outcomes. Then, and only then (Lindemann-Weierstrass), C moved by a rational number,
-- that amount.
-- +goose StatementBegin
create or replace function pgtape_core.lmsr_is_shift(q numeric[], q_after numeric[], amount numeric)
    returns boolean
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select array(select x + amount from unnest(q) x order by 1)
         = array(select x from unnest(q_after) x order by 1);
$$;
-- +goose StatementEnd

-- lmsr_shares gives the most shares of an outcome, to 6 decimals, whose charge is at most spend.
-- cost_before is C(q). From C(q after) = C(q) + spend = M:
--     shares = M - q_j + b ln(1 - sum over i <> j of exp((q_i - M)/b)).
-- +goose StatementBegin
create or replace function pgtape_core.lmsr_shares(
    q numeric[],
    b numeric,
    outcome integer,
    spend numeric,
    cost_before numeric
)
    returns numeric
    language plpgsql
    immutable
as $$
declare
    v_target   numeric := cost_before + spend;
    v_exponent numeric;
    v_rest     numeric := 1;
    v_shares   numeric;
begin
    for i in 1 .. cardinality(q) loop
        v_exponent := round(q[i] - v_target, 40) / b;
        if i <> outcome and v_exponent >= -97 then
            v_rest := v_rest - round(exp(round(v_exponent, 40)), 40);
        end if;
    end loop;

    -- v_rest is at least about spend / b >= 1e-13, so its 40 decimals leave the shares exact to
    -- b * 1e-26. Where that straddles a micro, the charge itself decides.
    v_shares := trunc(v_target - q[outcome] + b * ln(v_rest) + b * 1e-25, 6);
    while v_shares > 0
        and (pgtape_core.lmsr_move(q, b, outcome, v_shares, cost_before)).amount > spend
    loop
        v_shares := v_shares - 0.000001;
    end loop;
    return v_shares;
end;
$$;
-- +goose StatementEnd

-- lmsr_subsidy gives the worst loss of the market maker over n outcomes, b ln n, rounded up to
-- 6 decimals.
-- +goose StatementBegin
create or replace function pgtape_core.lmsr_subsidy(b numeric, n integer)
    returns numeric
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select round(ceil(b * ln(round(n::numeric, 40)) * 1000000) / 1000000, 6);
$$;
-- +goose StatementEnd
