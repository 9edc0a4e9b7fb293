-- +goose Up
-- The server acts for whomever it names. For what takes more rights than a trader has, and for what
-- lets somebody in, its word is not enough: it shows what the person has shown, a session's token or an
-- API key, in the setting pgtape.proof of the transaction. Who has the server's login has neither.

-- only_serves tells whether the caller acts for others as a server and has no rights of its own. A login
-- that is an operator's needs none of this: it may do it all.
-- +goose StatementBegin
create or replace function pgtape_core.only_serves()
    returns boolean
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select pgtape_core.is_server() and not pgtape_core.is_operator();
$$;
-- +goose StatementEnd

-- is_proven tells whether the server has shown a live session of an account, or, if there is a scope,
-- a live key of the account for it. Keys manage no access: for that there is no scope.
-- +goose StatementBegin
create or replace function pgtape_core.is_proven(account_id bigint, scope text)
    returns boolean
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select not pgtape_core.only_serves() or exists (
        select
        from (select sha256(convert_to(current_setting('pgtape.proof', true), 'UTF8'))) as p (hash)
        where exists (
            select from pgtape_core.session s
            where s.token_hash = p.hash and s.account_id = is_proven.account_id and s.expires_at > now()
        ) or exists (
            select from pgtape_core.api_key k
            where k.key_hash = p.hash and k.account_id = is_proven.account_id and is_proven.scope = any (k.scopes)
                and (k.expires_at is null or k.expires_at > now())
        )
    );
$$;
-- +goose StatementEnd

-- require_proof refuses the server's word alone.
-- Raises: TP009.
-- +goose StatementBegin
create or replace function pgtape_core.require_proof(account_id bigint, scope text default null)
    returns void
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
begin
    if not pgtape_core.is_proven(account_id, scope) then
        perform pgtape_core.refuse(
            'not_permitted', 'the server may not do this for the account without its session or API key',
            'sign in again; in SQL: the token or key in the setting pgtape.proof, or a login that is an operator''s'
        );
    end if;
end;
$$;
-- +goose StatementEnd

-- find_own_account is find_active_account for what the account's owner does with its access.
-- Raises: TP007 no such account, or nobody's any more; TP009 the server, without a session of it.
-- +goose StatementBegin
create or replace function pgtape_core.find_own_account(handle text)
    returns pgtape_core.account
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account pgtape_core.account := pgtape_core.find_active_account(handle);
begin
    perform pgtape_core.require_proof(v_account.id);
    return v_account;
end;
$$;
-- +goose StatementEnd
