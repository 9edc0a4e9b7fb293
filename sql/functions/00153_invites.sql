-- +goose Up
-- create_invite lets as many people as it has uses sign up, as what its role says. Operators may make
-- one for traders, admins for any role.
-- Writes: invite, audit_entry.
-- Raises: TP009 caller may not, TP011 bad uses, lifetime or role.
-- +goose StatementBegin
create or replace function pgtape.create_invite(
    code_hash bytea,
    uses integer default 1,
    lifetime interval default interval '7 days',
    role text default 'trader',
    operator text default null
)
    returns table (id bigint, expires_at timestamptz)
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor text;
begin
    perform pgtape_core.refuse_error(case
        when role is null or role not in ('trader', 'operator', 'admin') then 'a role is trader, operator or admin'
        when uses is null or uses not between 1 and 10000 then 'an invite has 1 to 10000 uses'
        when lifetime is null or lifetime <= interval '0' or lifetime > interval '366 days'
            then 'an invite is good for 1 to 366 days'
        when code_hash is null or length(code_hash) <> 32 then 'an invite is kept by the SHA-256 of its code'
    end);
    v_actor := case
        when role = 'trader' then pgtape_core.require_operator(operator)
        else pgtape_core.require_role(operator, '{admin}')
    end;
    return query
    insert into pgtape_core.invite as i (code_hash, account_id, made_by, role, uses, expires_at)
    values (
        code_hash, pgtape_core.find_account_id(v_actor), v_actor, create_invite.role,
        create_invite.uses, now() + lifetime
    )
    returning i.id, i.expires_at;
    perform pgtape_core.log_audit('invite_made', v_actor, v_actor, jsonb_build_object('uses', uses, 'role', role));
end;
$$;
-- +goose StatementEnd

-- invites lists what may still be used, and what was, the newest first.
-- +goose StatementBegin
create or replace function pgtape.invites(operator text default null)
    returns table (
        id bigint,
        made_by text,
        role text,
        uses integer,
        used integer,
        created_at timestamptz,
        expires_at timestamptz
    )
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform pgtape_core.require_operator(operator);
    return query
    select i.id, i.made_by, i.role, i.uses, i.used, i.created_at, i.expires_at
    from pgtape_core.invite i
    order by i.id desc
    limit 200;
end;
$$;
-- +goose StatementEnd

-- revoke_invite takes an invite back: an operator his own, an admin any. Who came by it stays.
-- Writes: invite, audit_entry.
-- Raises: TP007 no such invite, TP009 caller may not.
-- +goose StatementBegin
create or replace function pgtape.revoke_invite(id bigint, operator text default null)
    returns void
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor  text := pgtape_core.require_operator(operator);
    v_invite pgtape_core.invite;
begin
    select i.* into v_invite from pgtape_core.invite i where i.id = revoke_invite.id for update;
    if v_invite.id is null then
        perform pgtape_core.refuse('not_found', 'there is no such invite');
    end if;
    if (v_invite.account_id, v_invite.made_by) is distinct from (pgtape_core.find_account_id(v_actor), v_actor) then
        perform pgtape_core.require_role(operator, '{admin}');
    end if;
    delete from pgtape_core.invite i where i.id = v_invite.id;
    perform pgtape_core.log_audit(
        'invite_revoked', v_invite.made_by, v_actor,
        jsonb_build_object('uses', v_invite.uses, 'used', v_invite.used, 'role', v_invite.role)
    );
end;
$$;
-- +goose StatementEnd

-- sign_up makes an account with what its owner signs in by, or makes nothing: a password (PHC), an
-- identity at a provider, both, or neither. With the code of an invite, it uses that up, and the
-- account gets the role of it. Whether people may sign up without one is the server's policy. token_hash
-- opens a session, of who has just shown all this.
-- Locks:  the invite, then as create_account.
-- Writes: invite, account and its opening balance, credential, identity; audit_entry for a role.
-- Raises: TP009 caller is not the server, or the invite is of no use; TP010 handle or identity taken;
--         TP011 bad handle or PHC string.
-- +goose StatementBegin
create or replace function pgtape.sign_up(
    handle text,
    phc text default null,
    code_hash bytea default null,
    issuer text default null,
    subject text default null,
    token_hash bytea default null,
    label text default ''
)
    returns pgtape_core.account_state
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_invite  pgtape_core.invite;
    v_account pgtape_core.account;
begin
    if not pgtape_core.is_server() then
        perform pgtape_core.refuse('not_permitted', 'only the server signs people up');
    end if;
    if code_hash is not null then
        update pgtape_core.invite i
        set used = i.used + 1
        where i.code_hash = sign_up.code_hash and i.used < i.uses and i.expires_at > now()
        returning i.* into v_invite;
        if v_invite.id is null then
            perform pgtape_core.refuse(
                'not_permitted', 'this invite is used up, has run out or was taken back',
                'ask whoever invited you for another'
            );
        end if;
    end if;
    perform pgtape_core.open_account(handle, pgtape_core.opening_credits(v_invite.id is not null, issuer, subject));
    v_account := pgtape_core.find_active_account(handle);
    if phc is not null then
        perform pgtape_core.write_credential(v_account.id, phc, false, null);
    end if;
    if subject is not null then
        perform pgtape_core.write_identity(v_account, issuer, subject);
    end if;
    if v_invite.role <> 'trader' then
        update pgtape_core.account a set role = v_invite.role where a.id = v_account.id returning a.* into v_account;
        perform pgtape_core.log_audit(
            'role_given', v_account.handle, v_invite.made_by, jsonb_build_object('role', v_invite.role, 'by', 'invite')
        );
    end if;
    if token_hash is not null then
        perform pgtape_core.open_session(v_account.id, token_hash, interval '30 days', label);
    end if;
    return pgtape_core.account_state_of(v_account);
end;
$$;
-- +goose StatementEnd
