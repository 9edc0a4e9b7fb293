-- +goose Up
-- Passwords come here as PHC strings (argon2id), made by the server.

-- credential_of gives the PHC string of an account's password with as many A in the place of its hash:
-- parameters, salt and length; no row when there is none. The hash stays here: who knows it need not
-- know the password.
-- +goose StatementBegin
create or replace function pgtape.credential_of(account text)
    returns setof text
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select regexp_replace(c.phc, '[^$]*$', '') || repeat('A', length(substring(c.phc, '[^$]*$')))
    from pgtape_core.credential c
    where c.account_id = pgtape_core.find_account_id(credential_of.account);
$$;
-- +goose StatementEnd

-- is_password tells whether a PHC string is what an account's password comes to.
-- +goose StatementBegin
create or replace function pgtape.is_password(account text, phc text)
    returns boolean
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from pgtape_core.credential c
        where c.account_id = pgtape_core.find_account_id(is_password.account) and c.phc = is_password.phc
    );
$$;
-- +goose StatementEnd

-- write_credential sets an account's password and ends all its sessions and sign-in links; with
-- end_access also what would outlive the password: API keys, the linked identity, and invites that it
-- has made. It tells the owner, unless the account is new and label null, and gives the hashes of what is
-- no longer good.
-- Writes: credential, session, sign_in_link, notification; api_key, identity, invite.
-- +goose StatementBegin
create or replace function pgtape_core.write_credential(account_id bigint, phc text, end_access boolean, label text)
    returns setof bytea
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
begin
    if phc is null or phc not like '$argon2id$%' then
        perform pgtape_core.refuse('invalid_request', 'a password is kept as an argon2id PHC string');
    end if;
    insert into pgtape_core.credential as c (account_id, phc)
    values (write_credential.account_id, write_credential.phc)
    on conflict on constraint credential_pkey do update set phc = excluded.phc, changed_at = clock_timestamp();
    delete from pgtape_core.sign_in_link l where l.account_id = write_credential.account_id;
    if end_access then
        delete from pgtape_core.identity i where i.account_id = write_credential.account_id;
        delete from pgtape_core.invite i where i.account_id = write_credential.account_id;
        return query
        delete from pgtape_core.api_key k where k.account_id = write_credential.account_id returning k.key_hash;
    end if;
    if label is not null then
        perform pgtape_core.notify_owner(
            write_credential.account_id, 'password_changed', jsonb_build_object('by', label, 'end_access', end_access)
        );
    end if;
    return query
    delete from pgtape_core.session s where s.account_id = write_credential.account_id returning s.token_hash;
end;
$$;
-- +goose StatementEnd

-- set_password changes an account's password: every browser is signed out, but for the one that gets
-- a new session by a token. With end_access all else that lets somebody in goes, too. It gives the
-- hashes of what is no longer good.
-- Locks:  the account.
-- Writes: credential, session, sign_in_link; audit_entry when somebody else does it.
-- Raises: TP007 no such account, TP009 without a token: caller is no admin, with one: the server has no
--         session of the account; TP011 bad PHC string.
-- +goose StatementBegin
create or replace function pgtape.set_password(
    account text,
    phc text,
    token_hash bytea default null,
    label text default '',
    admin text default null,
    end_access boolean default false
)
    returns setof bytea
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account pgtape_core.account;
    v_actor   text;
begin
    if token_hash is null then
        v_actor := pgtape_core.require_role(admin, '{admin}');
    elsif not pgtape_core.is_server() then
        perform pgtape_core.refuse('not_permitted', 'only the server opens sessions');
    end if;
    v_account := pgtape_core.find_active_account(account);
    if token_hash is not null then
        perform pgtape_core.require_proof(v_account.id);
    end if;
    perform from pgtape_core.account a where a.id = v_account.id for no key update;
    return query select * from pgtape_core.write_credential(v_account.id, phc, end_access, coalesce(v_actor, label));
    if token_hash is null then
        perform pgtape_core.log_audit('password_set', v_account.handle, v_actor);
    else
        perform pgtape_core.open_session(v_account.id, token_hash, interval '30 days', label);
    end if;
end;
$$;
-- +goose StatementEnd

-- renew_credential replaces the PHC string of the same password by one of today's parameters.
-- Writes: credential.
-- +goose StatementBegin
create or replace function pgtape.renew_credential(account text, old text, new text)
    returns void
    language sql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    update pgtape_core.credential c
    set phc = renew_credential.new
    where c.account_id = pgtape_core.find_account_id(renew_credential.account) and c.phc = renew_credential.old;
$$;
-- +goose StatementEnd

-- create_sign_in_link makes a way in for somebody who has no password, or has lost it. It works once.
-- Writes: sign_in_link, audit_entry.
-- Raises: TP007 no such account, TP009 caller is no admin, TP011 bad token or lifetime.
-- +goose StatementBegin
create or replace function pgtape.create_sign_in_link(
    account text,
    token_hash bytea,
    lifetime interval default interval '1 day',
    admin text default null
)
    returns timestamptz
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor   text := pgtape_core.require_role(admin, '{admin}');
    v_account pgtape_core.account := pgtape_core.find_active_account(account);
begin
    if token_hash is null or length(token_hash) <> 32 or lifetime is null then
        perform pgtape_core.refuse('invalid_request', 'a link needs the SHA-256 of its token and a lifetime');
    end if;
    perform pgtape_core.refuse_error(pgtape_core.lifetime_error('a link', lifetime));
    delete from pgtape_core.sign_in_link l where l.expires_at < now() or l.account_id = v_account.id;
    insert into pgtape_core.sign_in_link (token_hash, account_id, expires_at)
    values (token_hash, v_account.id, now() + lifetime);
    perform pgtape_core.log_audit('link_made', v_account.handle, v_actor);
    return now() + lifetime;
end;
$$;
-- +goose StatementEnd

-- link_account gives the handle of the account that a link signs in; no row when it does no more.
-- +goose StatementBegin
create or replace function pgtape.link_account(token_hash bytea)
    returns setof text
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select a.handle
    from pgtape_core.sign_in_link l
    join pgtape_core.account a on a.id = l.account_id
    where l.token_hash = link_account.token_hash and l.expires_at > now();
$$;
-- +goose StatementEnd

-- use_sign_in_link sets the password of the account that a link is for; end_access as for set_password.
-- It gives the hashes of what is no longer good.
-- Locks:  the link, which goes.
-- Writes: sign_in_link, credential, session.
-- Raises: TP009 the link is of no use, TP011 bad PHC string.
-- +goose StatementBegin
create or replace function pgtape.use_sign_in_link(
    link_hash bytea,
    phc text,
    token_hash bytea,
    label text default '',
    end_access boolean default false
)
    returns setof bytea
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account bigint;
begin
    delete from pgtape_core.sign_in_link l
    where l.token_hash = use_sign_in_link.link_hash and l.expires_at > now()
    returning l.account_id into v_account;
    if v_account is null then
        perform pgtape_core.refuse(
            'not_permitted', 'this link has been used, or has run out', 'ask whoever gave it to you for another'
        );
    end if;
    return query select * from pgtape_core.write_credential(v_account, phc, end_access, label);
    perform pgtape_core.open_session(v_account, token_hash, interval '30 days', label);
end;
$$;
-- +goose StatementEnd
