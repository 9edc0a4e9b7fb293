-- +goose Up
-- Every function pins its search_path to pg_catalog, pg_temp. Without pg_temp at the end Postgres looks
-- there first for types and relations, even with an empty path: the caller's temporary domain text
-- would then run as the owner. The helpers that run for each order do without (pinning costs a
-- microsecond a call): nobody is granted them, so they are reached through pinned functions only, and
-- have the path of these. sql_test.go and db/names_test.go hold this. What is in the language sql,
-- and cannot be inlined, would be planned anew in each transaction.

-- amount_error says what is wrong with a number of credits or shares, or null if nothing is:
-- a finite decimal from minimum to 1e12 with at most 6 decimals.
-- +goose StatementBegin
create or replace function pgtape_core.amount_error(
    name text,
    amount numeric,
    minimum numeric default 0.000001
)
    returns text
    language plpgsql
    immutable
    strict
as $$
begin
    return case
        when amount in ('NaN', 'Infinity', '-Infinity') then name || ' must be a finite number'
        when amount < 0 then name || ' must not be negative'
        when amount = 0 and amount < minimum then name || ' must be more than 0'
        when amount > 1e12 then name || ' must be at most 1000000000000'
        when min_scale(amount) > 6 then name || ' has more than 6 decimals'
        when amount < minimum then name || ' must be at least ' || minimum
    end;
end;
$$;
-- +goose StatementEnd

-- avg_price gives credits per share, rounded once: the quotient has 40 decimals before (Postgres
-- would give it 20, and rounding those again can end elsewhere).
create or replace function pgtape_core.avg_price(amount numeric, shares numeric, decimals integer default 12)
    returns numeric
    language sql
    immutable
    return round(round(amount, 40) / shares, decimals);

-- require_reason gives the reason of a public act as it is kept.
-- Raises: TP011 as require_text.
-- +goose StatementBegin
create or replace function pgtape_core.require_reason(reason text)
    returns text
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select pgtape_core.require_text('a reason (it is shown to everybody)', reason, 1, 2000, true);
$$;
-- +goose StatementEnd

-- json_time gives a point in time as the tape and the wire have it: UTC, microseconds.
-- +goose StatementBegin
create or replace function pgtape_core.json_time(at timestamptz)
    returns text
    language plpgsql
    immutable
as $$
begin
    return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
end;
$$;
-- +goose StatementEnd

-- time_error says what is wrong with a point in time that a person gives, or null if nothing is.
-- Postgres knows infinity, years before Christ and years up to 294276; JSON, Go and JavaScript do not
-- all know them, and the same year may be another one in another time zone.
-- +goose StatementBegin
create or replace function pgtape_core.time_error(name text, at timestamptz)
    returns text
    language plpgsql
    immutable
    strict
as $$
begin
    return case
        when at not between timestamptz '1970-01-01 00:00:00+00' and timestamptz '2999-12-31 23:59:59.999999+00' then
            name || ' must be a date of the years 1970 to 2999, or be left out'
    end;
end;
$$;
-- +goose StatementEnd

-- lifetime_error says what is wrong with how long something is to last, or null if nothing is.
-- +goose StatementBegin
create or replace function pgtape_core.lifetime_error(name text, lifetime interval)
    returns text
    language plpgsql
    immutable
    strict
as $$
begin
    return case
        when lifetime <= interval '0' then name || ' must be longer than nothing'
        when lifetime > interval '100 years' then name || ' must be 100 years at most'
    end;
end;
$$;
-- +goose StatementEnd

-- json_by_outcome gives a JSON object with one number, as a string, for each outcome in order.
-- +goose StatementBegin
create or replace function pgtape_core.json_by_outcome(outcomes text[], numbers numeric[])
    returns text
    language plpgsql
    immutable
as $$
declare
    v_text text := '';
begin
    for i in 1 .. cardinality(outcomes) loop
        v_text := v_text || case when i > 1 then ',' else '' end
            || to_json(outcomes[i]) || ':"' || numbers[i] || '"';
    end loop;
    return '{' || v_text || '}';
end;
$$;
-- +goose StatementEnd
