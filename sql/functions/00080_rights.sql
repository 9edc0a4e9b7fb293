-- +goose Up
-- revoke_public_rights takes from everybody what Postgres grants to everybody and a market has no use
-- for: temporary objects, and on PostgreSQL 14 objects in the schema public, whose names could be
-- taken for others. It does what the caller may do and leaves the rest, which pgtape doctor names.
-- It runs with the caller's rights: the login that migrates calls it.
-- +goose StatementBegin
create or replace function pgtape_core.revoke_public_rights()
    returns void
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
begin
    if has_database_privilege('public', current_database(), 'temporary') and exists (
        select from pg_database d where d.datname = current_database() and pg_has_role(d.datdba, 'usage')
    ) then
        execute format('revoke temporary on database %I from public', current_database());
    end if;
    if exists (
        select from pg_namespace n
        where n.nspname = 'public' and pg_has_role(n.nspowner, 'usage')
            and has_schema_privilege('public', n.oid, 'create')
    ) then
        revoke create on schema public from public;
    end if;
end;
$$;
-- +goose StatementEnd
