-- +goose Up
-- environment names the environment that the database belongs to, such as production; null: none yet.
-- +goose StatementBegin
create or replace function pgtape.environment()
    returns text
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select s.value from pgtape_core.setting s where s.name = 'environment';
$$;
-- +goose StatementEnd

-- set_environment names it. Whoever serves may name it first; to change it is an operator's.
-- Writes: setting, audit_entry.
-- Raises: TP009 caller is no operator, TP011 no such name.
-- +goose StatementBegin
create or replace function pgtape.set_environment(name text)
    returns text
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_before text := pgtape.environment();
begin
    if v_before is not null or not pgtape_core.is_server() then
        perform pgtape_core.require_operator();
    end if;
    name := btrim(left(name, 100));
    if name is null or name collate "C" !~ '^(branch:)?[a-z][a-z0-9_-]{0,30}$' then
        perform pgtape_core.refuse(
            'invalid_request', 'an environment has a name of up to 31 of a-z, 0-9, _ and -, a letter first'
        );
    end if;
    insert into pgtape_core.setting as s (name, value)
    values ('environment', set_environment.name)
    on conflict on constraint setting_pkey do update set value = excluded.value;
    perform pgtape_core.log_audit(
        'environment_named', name, pgtape_core.actor(), jsonb_build_object('before', v_before)
    );
    return name;
end;
$$;
-- +goose StatementEnd
