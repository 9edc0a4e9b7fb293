-- +goose Up
-- Two schemas. pgtape is the public surface: functions to call, views to read. pgtape_core holds
-- the tables, types and helpers, and is granted to nobody: the functions of pgtape, which run as
-- their owner, are the only way in.
create schema pgtape;
create schema pgtape_core;

comment on schema pgtape is 'pgtape: functions to call, views to read';
comment on schema pgtape_core is 'pgtape: tables, types and helpers; written by the functions of pgtape only';

-- The digest of the function files that were applied last, by whichever tool: the last of them
-- records it. A server refuses a database whose functions are not its own.
create table pgtape_core.function_bundle (
    singleton  boolean primary key default true,
    digest     text not null default '',
    applied_at timestamptz not null default clock_timestamp(),

    constraint one_bundle check (singleton)
);

insert into pgtape_core.function_bundle default values;

-- Roles belong to the whole cluster, so another database may have made them already.
-- +goose StatementBegin
do $$
declare
    v_role text;
begin
    foreach v_role in array '{pgtape_server,pgtape_trader,pgtape_operator,pgtape_auditor}'::text[]
    loop
        begin
            -- Where they are there, the login needs no right to make them.
            if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
                execute format('create role %I nologin', v_role);
            end if;
        exception
            when duplicate_object or unique_violation then null;
        end;
        -- Who migrates may also serve; a superuser may anyway.
        if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user)
           and not pg_has_role(current_user, v_role, 'member') then
            execute format('grant %I to current_user', v_role);
        end if;
    end loop;
end;
$$;
-- +goose StatementEnd

grant usage on schema pgtape to pgtape_server, pgtape_trader, pgtape_operator, pgtape_auditor;

-- +goose Down
drop schema pgtape cascade;
drop schema pgtape_core cascade;
-- The roles stay: they are the cluster's, and other databases may use them.
