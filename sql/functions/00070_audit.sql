-- +goose Up
-- log_audit keeps for operators what somebody did with more rights than a trader has. actor: the handle
-- of an account as it is now, or what pgtape_core.actor calls a login that has none.
-- Writes: audit_entry.
-- +goose StatementBegin
create or replace function pgtape_core.log_audit(act text, subject text, actor text, detail jsonb default '{}')
    returns void
    language sql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
    insert into pgtape_core.audit_entry (actor, account_id, login, act, subject, detail)
    values (actor, pgtape_core.find_account_id(actor), session_user, act, subject, detail);
$$;
-- +goose StatementEnd

create or replace trigger append_only
    before update or delete or truncate on pgtape_core.audit_entry
    for each statement execute function pgtape_core.refuse_change();

-- can_sign_in tells whether an account has what lets its owner in again: a password or an identity. An
-- account with a role is not open to whoever chooses its handle.
-- +goose StatementBegin
create or replace function pgtape_core.can_sign_in(account pgtape_core.account)
    returns boolean
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select account.gone_at is null and (
        exists (select from pgtape_core.credential c where c.account_id = account.id)
        or exists (select from pgtape_core.identity i where i.account_id = account.id)
    );
$$;
-- +goose StatementEnd

-- require_other_admin refuses what would take away the last admin who can sign in, or the last of all:
-- then nobody could give roles or help others in, but by SQL.
-- Locks:  all admins, by ascending id, so that two cannot do it to each other.
-- Raises: TP009 there is no other.
-- +goose StatementBegin
create or replace function pgtape_core.require_other_admin(account_id bigint)
    returns void
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account pgtape_core.account;
begin
    perform from pgtape_core.account a where a.role = 'admin' order by a.id for no key update;
    select a.* into v_account from pgtape_core.account a where a.id = require_other_admin.account_id;
    if v_account.role = 'admin' and not exists (
        select from pgtape_core.account a
        where a.role = 'admin' and a.id <> v_account.id
            and (pgtape_core.can_sign_in(a) or not pgtape_core.can_sign_in(v_account))
    ) then
        perform pgtape_core.refuse(
            'not_permitted', v_account.handle || ' is the last admin who can sign in',
            'make somebody else an admin first, who has a password or a linked identity'
        );
    end if;
end;
$$;
-- +goose StatementEnd

-- set_role makes an account a trader, an operator or an admin. Admins may, and operators in SQL. An
-- admin gives rights only to an account that can sign in: others may be signed in to one that cannot.
-- Locks:  where an admin is to be one no more, all admins; the account, against new sessions too.
-- Writes: account, audit_entry.
-- Raises: TP007 no such account; TP009 caller is no admin, the account is the last one, or cannot sign
--         in; TP011 no such role.
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
    v_account := pgtape_core.find_account(account);
    if role <> 'admin' and v_account.role = 'admin' then
        perform pgtape_core.require_other_admin(v_account.id);
    end if;

    -- By the state that the lock guarantees: the owner may have left, and somebody else signed in.
    select a.* into v_account from pgtape_core.account a where a.id = v_account.id for update;
    if role <> 'trader' and admin is not null and not pgtape_core.can_sign_in(v_account) then
        perform pgtape_core.refuse(
            'not_permitted', v_account.handle || ' has no password: others may be signed in as it',
            'let its owner set a password first: give a sign-in link'
        );
    end if;
    update pgtape_core.account a set role = set_role.role where a.id = v_account.id returning a.* into v_account;
    perform pgtape_core.log_audit('role_given', v_account.handle, v_actor, jsonb_build_object('role', role));
    return pgtape_core.account_state_of(v_account);
end;
$$;
-- +goose StatementEnd
