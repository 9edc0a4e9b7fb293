-- +goose Up
-- write_identity lets who is subject at a provider sign in as an account.
-- Writes: identity.
-- Raises: TP010 the identity, or another one of the account, is taken; TP011 no issuer or subject.
-- +goose StatementBegin
create or replace function pgtape_core.write_identity(account pgtape_core.account, issuer text, subject text)
    returns void
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
begin
    if coalesce(issuer, '') = '' or coalesce(subject, '') = '' then
        perform pgtape_core.refuse('invalid_request', 'an identity has an issuer and a subject');
    end if;
    insert into pgtape_core.identity (issuer, subject, account_id)
    values (issuer, subject, account.id)
    on conflict do nothing;
    if not found and not exists (
        select from pgtape_core.identity i
        where i.issuer = write_identity.issuer and i.subject = write_identity.subject and i.account_id = account.id
    ) then
        perform pgtape_core.refuse(
            'already_exists', 'this identity belongs to another account, or the account has another identity',
            'unlink the one before linking the other'
        );
    end if;
end;
$$;
-- +goose StatementEnd

-- identity_account gives the handle of who an identity signs in; no row: nobody yet.
-- +goose StatementBegin
create or replace function pgtape.identity_account(issuer text, subject text)
    returns setof text
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select a.handle
    from pgtape_core.identity i
    join pgtape_core.account a on a.id = i.account_id
    where i.issuer = identity_account.issuer and i.subject = identity_account.subject;
$$;
-- +goose StatementEnd

-- link_identity adds an identity to an account, and tells its owner.
-- Writes: identity, notification.
-- Raises: TP007 no such account, TP010 taken, TP011 no issuer or subject.
-- +goose StatementBegin
create or replace function pgtape.link_identity(account text, issuer text, subject text)
    returns void
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account pgtape_core.account := pgtape_core.find_own_account(account);
begin
    perform pgtape_core.write_identity(v_account, issuer, subject);
    perform pgtape_core.notify_owner(v_account.id, 'identity_linked', jsonb_build_object('issuer', issuer));
end;
$$;
-- +goose StatementEnd

-- unlink_identity takes an account's identity away, unless it is the only way in.
-- Writes: identity, notification.
-- Raises: TP007 no such account, or nothing linked; TP009 no password.
-- +goose StatementBegin
create or replace function pgtape.unlink_identity(account text)
    returns void
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account pgtape_core.account := pgtape_core.find_own_account(account);
begin
    delete from pgtape_core.identity i where i.account_id = v_account.id;
    if not found then
        perform pgtape_core.refuse('not_found', 'no identity is linked');
    end if;
    if not exists (select from pgtape_core.credential c where c.account_id = v_account.id) then
        perform pgtape_core.refuse('not_permitted', 'nothing else would let you in', 'set a password first');
    end if;
    perform pgtape_core.notify_owner(v_account.id, 'identity_unlinked');
end;
$$;
-- +goose StatementEnd

-- ways_in tells by what an account is signed in: has it a password, and whose identity is linked?
-- +goose StatementBegin
create or replace function pgtape.ways_in(account text)
    returns table (password boolean, issuer text)
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select exists (select from pgtape_core.credential c where c.account_id = a.id),
           coalesce((select i.issuer from pgtape_core.identity i where i.account_id = a.id), '')
    from pgtape_core.account a
    where a.id = pgtape_core.find_account_id(ways_in.account);
$$;
-- +goose StatementEnd

-- put_oidc_flow keeps what a browser that goes to the provider will need when it comes back.
-- Writes: oidc_flow.
-- +goose StatementBegin
create or replace function pgtape.put_oidc_flow(token_hash bytea, body jsonb)
    returns void
    language sql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    delete from pgtape_core.oidc_flow f where f.expires_at < now();
    insert into pgtape_core.oidc_flow (token_hash, body, expires_at)
    values (put_oidc_flow.token_hash, put_oidc_flow.body, now() + interval '15 minutes');
$$;
-- +goose StatementEnd

-- oidc_flow gives what was kept; no row when there is nothing any more.
-- +goose StatementBegin
create or replace function pgtape.oidc_flow(token_hash bytea)
    returns setof jsonb
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select f.body from pgtape_core.oidc_flow f where f.token_hash = oidc_flow.token_hash and f.expires_at > now();
$$;
-- +goose StatementEnd

-- take_oidc_flow is oidc_flow once.
-- Writes: oidc_flow.
-- +goose StatementBegin
create or replace function pgtape.take_oidc_flow(token_hash bytea)
    returns setof jsonb
    language sql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    delete from pgtape_core.oidc_flow f
    where f.token_hash = take_oidc_flow.token_hash and f.expires_at > now()
    returning f.body;
$$;
-- +goose StatementEnd
