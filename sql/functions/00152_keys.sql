-- +goose Up
-- create_key makes an API key of an account, and tells its owner; only its SHA-256 comes here. Without a
-- lifetime it lasts.
-- Writes: api_key, notification.
-- Raises: TP007 no such account, TP009 operate, for who is no operator, TP011 bad name, scopes or lifetime.
-- +goose StatementBegin
create or replace function pgtape.create_key(
    account text,
    name text,
    prefix text,
    key_hash bytea,
    scopes text[],
    lifetime interval default null
)
    returns bigint
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account pgtape_core.account := pgtape_core.find_own_account(account);
    v_id      bigint;
begin
    name := pgtape_core.require_text('the name of a key', name, 1, 60);
    perform pgtape_core.refuse_error(case
        when scopes is null or cardinality(scopes) = 0 or not scopes <@ '{read,trade,operate}'
            then 'a key has one or more of the scopes read, trade and operate'
        when key_hash is null or length(key_hash) <> 32 then 'a key is kept by its SHA-256'
        else pgtape_core.lifetime_error('a key', lifetime)
    end);
    if 'operate' = any (scopes) and v_account.role = 'trader' then
        perform pgtape_core.refuse('not_permitted', 'the scope operate is for operators', 'leave it out');
    end if;
    perform from pgtape_core.account a where a.id = v_account.id for no key update;
    if (select count(*) from pgtape_core.api_key k where k.account_id = v_account.id) >= 50 then
        perform pgtape_core.refuse('invalid_request', 'an account has 50 keys at most', 'revoke one that is not used');
    end if;
    insert into pgtape_core.api_key (account_id, key_hash, name, prefix, scopes, expires_at)
    select v_account.id, key_hash, name, prefix, array(select distinct s from unnest(scopes) s order by s),
           now() + lifetime
    returning id into v_id;
    perform pgtape_core.notify_owner(
        v_account.id, 'key_made', jsonb_build_object('name', btrim(name), 'prefix', prefix, 'scopes', scopes)
    );
    return v_id;
end;
$$;
-- +goose StatementEnd

-- key_account gives the account of a key and what the key is for, or no row. Its use is written down
-- once a minute.
-- Writes: api_key.
-- +goose StatementBegin
create or replace function pgtape.key_account(key_hash bytea)
    returns table (handle text, balance numeric, created_at timestamptz, role text, id bigint, scopes text[])
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    update pgtape_core.api_key k
    set last_used_at = now()
    where k.key_hash = key_account.key_hash
        and (k.expires_at is null or k.expires_at > now())
        and (k.last_used_at is null or k.last_used_at < now() - interval '1 minute');
    return query
    select a.handle, a.balance, a.created_at, a.role, a.id, k.scopes
    from pgtape_core.api_key k
    join pgtape_core.account a on a.id = k.account_id
    where k.key_hash = key_account.key_hash and (k.expires_at is null or k.expires_at > now());
end;
$$;
-- +goose StatementEnd

-- keys_of lists the keys of an account, the newest first.
-- +goose StatementBegin
create or replace function pgtape.keys_of(account text)
    returns table (
        id bigint,
        name text,
        prefix text,
        scopes text[],
        created_at timestamptz,
        expires_at timestamptz,
        last_used_at timestamptz
    )
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select k.id, k.name, k.prefix, k.scopes, k.created_at, k.expires_at, k.last_used_at
    from pgtape_core.api_key k
    where k.account_id = pgtape_core.find_account_id(keys_of.account)
    order by k.id desc;
$$;
-- +goose StatementEnd

-- revoke_key takes a key of an account away and gives its hash; no row when the account has no such key.
-- Writes: api_key.
-- +goose StatementBegin
create or replace function pgtape.revoke_key(account text, id bigint)
    returns setof bytea
    language sql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    delete from pgtape_core.api_key k
    where k.account_id = pgtape_core.find_account_id(revoke_key.account) and k.id = revoke_key.id
    returning k.key_hash;
$$;
-- +goose StatementEnd
