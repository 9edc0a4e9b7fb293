-- +goose Up
-- Who somebody is, by number: a name can be given to somebody else.

-- They tell more now; the functions are applied after this.
drop function if exists pgtape.session_account(bytea);
drop function if exists pgtape.key_account(bytea);
drop function if exists pgtape.create_session(text, bytea, interval, text, boolean);
drop function if exists pgtape.sign_up(text, text, bytea, text, text);

alter type pgtape_core.account_state add attribute id bigint;

-- A login that is dropped, and made again by somebody, is another.
alter table pgtape_core.login add column role_oid oid;
update pgtape_core.login l set role_oid = r.oid from pg_catalog.pg_roles r where r.rolname = l.role_name;
comment on column pgtape_core.login.role_oid is 'of the role when it was mapped: another role of the name is somebody else''s';

-- The actor of an entry is an account, or else an SQL login: 'login:' and its name. Entries from before
-- have the bare name; of those the account is known where the login is not the actor itself.
alter table pgtape_core.audit_entry add column account_id bigint;
comment on column pgtape_core.audit_entry.account_id is 'the account that did it; null: an SQL login that has none';
comment on column pgtape_core.audit_entry.actor is 'handle of the account that did it, or login: and the SQL login that has none';

-- +goose StatementBegin
do $$
declare
    v_guarded boolean := exists (
        select from pg_catalog.pg_trigger t
        where t.tgrelid = 'pgtape_core.audit_entry'::regclass and t.tgname = 'append_only'
    );
begin
    if v_guarded then
        alter table pgtape_core.audit_entry disable trigger append_only;
    end if;
    update pgtape_core.audit_entry x
    set account_id = a.id
    from pgtape_core.account a
    where a.handle = x.actor and a.kind = 'person' and (
        x.login <> x.actor
        or exists (select from pgtape_core.login l where l.role_name = x.login and l.account_id = a.id)
    );
    if v_guarded then
        alter table pgtape_core.audit_entry enable trigger append_only;
    end if;
end;
$$;
-- +goose StatementEnd

create index audit_entry_account on pgtape_core.audit_entry (account_id);

-- +goose Down
-- Cascade: to views and functions, which the next migrate up applies again.
drop index pgtape_core.audit_entry_account;
alter table pgtape_core.audit_entry drop column account_id cascade;
comment on column pgtape_core.audit_entry.actor is 'handle of who did it, or the SQL login of who has no account';
alter table pgtape_core.login drop column role_oid cascade;
alter type pgtape_core.account_state drop attribute id cascade;
drop function if exists pgtape.create_session(text, bytea, interval, text, boolean, text, text, text);
drop function if exists pgtape.sign_up(text, text, bytea, text, text, bytea, text);
drop function if exists pgtape.session_account(bytea);
drop function if exists pgtape.key_account(bytea);
