-- +goose Up
-- sqlstate_of gives the SQLSTATE of an error code: the one table of what callers may be told.
-- +goose StatementBegin
create or replace function pgtape_core.sqlstate_of(code text)
    returns text
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select case code
        when 'stale_quote' then 'TP001'
        when 'market_not_open' then 'TP002'
        when 'insufficient_funds' then 'TP003'
        when 'insufficient_shares' then 'TP004'
        when 'deadline_passed' then 'TP005'
        when 'idempotency_mismatch' then 'TP006'
        when 'not_found' then 'TP007'
        when 'invalid_order' then 'TP008'
        when 'not_permitted' then 'TP009'
        when 'already_exists' then 'TP010'
        when 'invalid_request' then 'TP011'
        when 'too_many_requests' then 'TP012'
    end;
$$;
-- +goose StatementEnd

-- raise_refusal ends the statement with a refusal, if there is one.
-- Raises: the refusal's SQLSTATE, DETAIL a JSON object that repeats its code.
-- +goose StatementBegin
create or replace function pgtape_core.raise_refusal(refusal pgtape_core.refusal)
    returns void
    language plpgsql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
begin
    if refusal.code is null then
        return;
    end if;
    raise exception using
        errcode = pgtape_core.sqlstate_of(refusal.code),
        message = refusal.message,
        hint = coalesce(refusal.hint, ''),
        detail = (jsonb_build_object('code', refusal.code) || coalesce(refusal.detail, '{}'))::text;
end;
$$;
-- +goose StatementEnd

-- refuse_error raises what a *_fault function has found to be wrong with a request, if anything.
-- Raises: TP011.
-- +goose StatementBegin
create or replace function pgtape_core.refuse_error(fault text)
    returns void
    language plpgsql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
begin
    if fault is not null then
        perform pgtape_core.refuse('invalid_request', fault);
    end if;
end;
$$;
-- +goose StatementEnd

-- refuse raises a refusal from its parts.
-- +goose StatementBegin
create or replace function pgtape_core.refuse(
    code text,
    message text,
    hint text default null,
    detail jsonb default null
)
    returns void
    language plpgsql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform pgtape_core.raise_refusal((code, message, hint, detail)::pgtape_core.refusal);
end;
$$;
-- +goose StatementEnd
