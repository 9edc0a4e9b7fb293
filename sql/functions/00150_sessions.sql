-- +goose Up
-- is_guarded tells whether something must be known to act as an account: who has neither password
-- nor identity, and no rights, can be entered by handle where the sign-up policy lets people.
-- +goose StatementBegin
create or replace function pgtape_core.is_guarded(account pgtape_core.account)
    returns boolean
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select account.role <> 'trader'
        or exists (select from pgtape_core.credential c where c.account_id = account.id)
        or exists (select from pgtape_core.identity i where i.account_id = account.id);
$$;
-- +goose StatementEnd

-- open_session writes a session. Those that have ended are swept on the way.
-- Writes: session.
-- Raises: TP011 bad token or lifetime.
-- +goose StatementBegin
create or replace function pgtape_core.open_session(account_id bigint, token_hash bytea, lifetime interval, label text)
    returns void
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
begin
    if token_hash is null or length(token_hash) <> 32 or lifetime is null then
        perform pgtape_core.refuse('invalid_request', 'a session needs the SHA-256 of its token and a lifetime');
    end if;
    perform pgtape_core.refuse_error(pgtape_core.lifetime_error('a session', lifetime));
    delete from pgtape_core.session s where s.expires_at < now();
    label := pgtape_core.spaced(left(label, 100), false);
    if pgtape_core.text_error('a label', label, 0, 100, false) is not null then
        label := ''; -- a browser's own words: signing in does not depend on them
    end if;
    insert into pgtape_core.session (token_hash, account_id, expires_at, label)
    values (token_hash, account_id, now() + lifetime, label);
end;
$$;
-- +goose StatementEnd

-- shows_way_in tells whether what was shown signs an account in: the PHC string that its password comes
-- to, or the identity that is linked to it.
-- +goose StatementBegin
create or replace function pgtape_core.shows_way_in(account_id bigint, phc text, issuer text, subject text)
    returns boolean
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select from pgtape_core.credential c where c.account_id = shows_way_in.account_id and c.phc = shows_way_in.phc
    ) or exists (
        select
        from pgtape_core.identity i
        where i.account_id = shows_way_in.account_id and i.issuer = shows_way_in.issuer
            and i.subject = shows_way_in.subject
    );
$$;
-- +goose StatementEnd

-- create_session remembers that a browser acts as an account. Only the hash of its token (SHA-256)
-- comes here. With by_handle, nothing but the handle was shown: guarded accounts are then refused. For
-- these the server shows what the browser has shown: phc, what the password comes to with the salt of
-- credential_of, or issuer and subject, of an identity.
-- Locks:  the account, for key share.
-- Writes: session.
-- Raises: TP007 no such account, TP009 caller is not the server or the account is guarded, TP011 bad
--         token or lifetime.
-- +goose StatementBegin
create or replace function pgtape.create_session(
    account text,
    token_hash bytea,
    lifetime interval default interval '30 days',
    label text default '',
    by_handle boolean default false,
    phc text default null,
    issuer text default null,
    subject text default null
)
    returns pgtape_core.account_state
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account pgtape_core.account;
begin
    if not pgtape_core.is_server() then
        perform pgtape_core.refuse('not_permitted', 'only the server opens sessions');
    end if;
    v_account := pgtape_core.find_active_account(account);
    -- set_role locks the account, too: nobody signs in to it by its handle while it gets rights.
    select a.* into v_account from pgtape_core.account a where a.id = v_account.id for key share;
    if by_handle and pgtape_core.is_guarded(v_account) then
        perform pgtape_core.refuse(
            'not_permitted', v_account.handle || ' is not open to whoever chooses the handle',
            'sign in with the password, or choose another handle'
        );
    end if;
    if pgtape_core.only_serves() and pgtape_core.is_guarded(v_account)
        and not pgtape_core.shows_way_in(v_account.id, phc, issuer, subject) then
        perform pgtape_core.refuse('not_permitted', 'nothing was shown that signs ' || v_account.handle || ' in');
    end if;
    perform pgtape_core.open_session(v_account.id, token_hash, lifetime, label);
    return pgtape_core.account_state_of(v_account);
end;
$$;
-- +goose StatementEnd

-- session_account gives the account of a live session, or no row. Being used makes a session live as
-- long again; that is written once an hour, and slid says so.
-- Writes: session.
-- +goose StatementBegin
create or replace function pgtape.session_account(token_hash bytea)
    returns table (handle text, balance numeric, created_at timestamptz, role text, id bigint, slid boolean)
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_slid boolean;
begin
    update pgtape_core.session s
    set expires_at = s.expires_at + (now() - s.last_seen_at),
        last_seen_at = now()
    where s.token_hash = session_account.token_hash
        and s.expires_at > now() and s.last_seen_at < now() - interval '1 hour';
    v_slid := found;
    return query
    select a.handle, a.balance, a.created_at, a.role, a.id, v_slid
    from pgtape_core.session s
    join pgtape_core.account a on a.id = s.account_id
    where s.token_hash = session_account.token_hash and s.expires_at > now();
end;
$$;
-- +goose StatementEnd

-- delete_session signs a browser out; one that is not signed in stays so.
-- Writes: session.
-- +goose StatementBegin
create or replace function pgtape.delete_session(token_hash bytea)
    returns void
    language sql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    delete from pgtape_core.session s where s.token_hash = delete_session.token_hash;
$$;
-- +goose StatementEnd

-- sessions_of lists the browsers that are signed in as an account, the latest used first. current is
-- the one of the token.
-- +goose StatementBegin
create or replace function pgtape.sessions_of(account text, token_hash bytea)
    returns table (id bigint, label text, created_at timestamptz, last_seen_at timestamptz, current boolean)
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select s.id, s.label, s.created_at, s.last_seen_at, s.token_hash = sessions_of.token_hash
    from pgtape_core.session s
    where s.account_id = pgtape_core.find_account_id(sessions_of.account) and s.expires_at > now()
    order by s.token_hash = sessions_of.token_hash desc, s.last_seen_at desc, s.id desc;
$$;
-- +goose StatementEnd

-- delete_sessions signs browsers of an account out: the one of the id, or without an id all but the
-- one of the token. It gives the hashes of their tokens.
-- Writes: session.
-- +goose StatementBegin
create or replace function pgtape.delete_sessions(account text, id bigint, keep bytea)
    returns setof bytea
    language sql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    delete from pgtape_core.session s
    where s.account_id = pgtape_core.find_account_id(delete_sessions.account)
        and case
            when delete_sessions.id is null then s.token_hash is distinct from delete_sessions.keep
            else s.id = delete_sessions.id
        end
    returning s.token_hash;
$$;
-- +goose StatementEnd
