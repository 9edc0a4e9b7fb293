-- +goose Up
-- note_act keeps for operators what somebody did with more rights than a trader has.
-- Writes: audit_entry.
-- +goose StatementBegin
create or replace function pgtape_core.note_act(act text, subject text, actor text, detail jsonb default '{}')
    returns void
    language sql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
    insert into pgtape_core.audit_entry (actor, login, act, subject, detail)
    values (actor, session_user, act, subject, detail);
$$;
-- +goose StatementEnd

create or replace trigger append_only
    before update or delete or truncate on pgtape_core.audit_entry
    for each statement execute function pgtape_core.refuse_change();

-- set_role makes an account a trader, an operator or an admin. Admins may, and operators in SQL.
-- Writes: account, audit_entry.
-- Raises: TP007 no such account, TP009 caller is no admin, TP011 no such role.
-- +goose StatementBegin
create or replace function pgtape.set_role(account text, role text, admin text default null)
    returns pgtape_core.account_state
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor   text := pgtape_core.require_role(admin, '{admin}');
    v_account pgtape_core.account;
begin
    if role is null or role not in ('trader', 'operator', 'admin') then
        perform pgtape_core.refuse('invalid_request', 'a role is trader, operator or admin');
    end if;
    update pgtape_core.account a
    set role = set_role.role
    where lower(a.handle) = lower(set_role.account) and a.kind = 'person'
    returning a.* into v_account;
    if v_account.id is null then
        perform pgtape_core.refuse('not_found', 'there is no account ' || coalesce(account, '(null)'));
    end if;
    perform pgtape_core.note_act('role_given', v_account.handle, v_actor, jsonb_build_object('role', role));
    return pgtape_core.account_state_of(v_account);
end;
$$;
-- +goose StatementEnd
