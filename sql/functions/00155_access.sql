-- +goose Up
-- people lists the accounts of persons for an admin, by handle, those that contain some text.
-- Raises: TP009 caller is no admin.
-- +goose StatementBegin
create or replace function pgtape.people(
    query text default '',
    after text default '',
    most integer default 50,
    admin text default null
)
    returns table (
        handle text,
        role text,
        created_at timestamptz,
        last_seen_at timestamptz,
        guarded boolean,
        sessions bigint,
        keys bigint
    )
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform pgtape_core.require_role(admin, '{admin}');
    return query
    select a.handle, a.role, a.created_at, s.last_seen_at,
           exists (select from pgtape_core.credential c where c.account_id = a.id)
               or exists (select from pgtape_core.identity i where i.account_id = a.id),
           s.sessions,
           (select count(*) from pgtape_core.api_key k where k.account_id = a.id)
    from pgtape_core.account a
    cross join lateral (
        select max(s.last_seen_at) as last_seen_at, count(*) as sessions
        from pgtape_core.session s
        where s.account_id = a.id and s.expires_at > now()
    ) s
    where a.kind = 'person'
        and strpos(lower(a.handle collate "C"), coalesce((select pgtape_core.identifier(query)), '')) > 0
        and (lower(a.handle collate "C"), a.handle collate "C") > (
            coalesce((select pgtape_core.identifier(after)), ''), coalesce(after, '')
        )
    order by lower(a.handle collate "C"), a.handle collate "C"
    limit most;
end;
$$;
-- +goose StatementEnd

-- revoke_access signs somebody out everywhere and takes the API keys away. It gives the hashes of what
-- is no longer good.
-- Writes: session, api_key, sign_in_link, audit_entry.
-- Raises: TP007 no such account, TP009 caller is no admin.
-- +goose StatementBegin
create or replace function pgtape.revoke_access(account text, admin text default null)
    returns setof bytea
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor   text := pgtape_core.require_role(admin, '{admin}');
    v_account pgtape_core.account := pgtape_core.find_active_account(account);
begin
    return query delete from pgtape_core.session s where s.account_id = v_account.id returning s.token_hash;
    return query delete from pgtape_core.api_key k where k.account_id = v_account.id returning k.key_hash;
    delete from pgtape_core.sign_in_link l where l.account_id = v_account.id;
    perform pgtape_core.log_audit('access_revoked', v_account.handle, v_actor);
end;
$$;
-- +goose StatementEnd

-- forget_access takes away every way in to an account, and the invites that it has made.
-- Writes: session, api_key, credential, identity, sign_in_link, invite.
-- +goose StatementBegin
create or replace function pgtape_core.forget_access(account_id bigint)
    returns void
    language sql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
    delete from pgtape_core.session s where s.account_id = forget_access.account_id;
    delete from pgtape_core.api_key k where k.account_id = forget_access.account_id;
    delete from pgtape_core.credential c where c.account_id = forget_access.account_id;
    delete from pgtape_core.identity i where i.account_id = forget_access.account_id;
    delete from pgtape_core.sign_in_link l where l.account_id = forget_access.account_id;
    delete from pgtape_core.invite i where i.account_id = forget_access.account_id;
$$;
-- +goose StatementEnd

-- access_of gives, as JSON, the ways in to an account, without their secrets.
-- +goose StatementBegin
create or replace function pgtape_core.access_of(account_id bigint)
    returns json
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select json_build_object(
        'password', exists (select from pgtape_core.credential c where c.account_id = access_of.account_id),
        'sessions', (
            select coalesce(json_agg(json_build_object(
                'label', s.label, 'created_at', s.created_at, 'last_seen_at', s.last_seen_at, 'expires_at', s.expires_at
            ) order by s.id), '[]')
            from pgtape_core.session s
            where s.account_id = access_of.account_id
        ),
        'keys', (
            select coalesce(json_agg(json_build_object(
                'name', k.name, 'prefix', k.prefix, 'scopes', k.scopes, 'created_at', k.created_at,
                'expires_at', k.expires_at, 'last_used_at', k.last_used_at
            ) order by k.id), '[]')
            from pgtape_core.api_key k
            where k.account_id = access_of.account_id
        ),
        'identities', (
            select coalesce(
                json_agg(json_build_object('issuer', i.issuer, 'subject', i.subject, 'created_at', i.created_at)), '[]'
            )
            from pgtape_core.identity i
            where i.account_id = access_of.account_id
        ),
        'invites', (
            select coalesce(json_agg(json_build_object(
                'role', i.role, 'uses', i.uses, 'used', i.used, 'created_at', i.created_at, 'expires_at', i.expires_at
            ) order by i.id), '[]')
            from pgtape_core.invite i
            where i.account_id = access_of.account_id
        )
    );
$$;
-- +goose StatementEnd
