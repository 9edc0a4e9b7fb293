-- +goose Up
-- create_session remembers that a browser acts as an account. Only the hash of its token (SHA-256)
-- comes here. Sessions that have ended are swept on the way.
-- Writes: session.
-- Raises: TP007 no such account, TP009 caller is not the server, TP011 bad token or lifetime.
-- +goose StatementBegin
create or replace function pgtape.create_session(
    account text,
    token_hash bytea,
    lifetime interval default interval '30 days'
)
    returns pgtape_core.account_state
    language plpgsql
    volatile
    security definer
    set search_path = ''
as $$
declare
    v_account pgtape_core.account;
begin
    if not pgtape_core.is_server() then
        perform pgtape_core.refuse('not_permitted', 'only the server opens sessions');
    end if;
    if token_hash is null or length(token_hash) <> 32 or lifetime is null or lifetime <= interval '0' then
        perform pgtape_core.refuse('invalid_request', 'a session needs the SHA-256 of its token and a positive lifetime');
    end if;
    select a.* into v_account
    from pgtape_core.account a
    where lower(a.handle) = lower(create_session.account) and a.kind = 'person' and a.gone_at is null;
    if v_account.id is null then
        perform pgtape_core.refuse('not_found', 'there is no account ' || coalesce(account, '(null)'));
    end if;

    delete from pgtape_core.session s where s.expires_at < now();
    insert into pgtape_core.session (token_hash, account_id, expires_at)
    values (token_hash, v_account.id, now() + lifetime);
    return pgtape_core.account_state_of(v_account);
end;
$$;
-- +goose StatementEnd

-- session_account gives the account of a live session, or no row.
-- +goose StatementBegin
create or replace function pgtape.session_account(token_hash bytea)
    returns setof pgtape_core.account_state
    language sql
    stable
    security definer
    set search_path = ''
as $$
    select (pgtape_core.account_state_of(a)).*
    from pgtape_core.session s
    join pgtape_core.account a on a.id = s.account_id
    where s.token_hash = session_account.token_hash and s.expires_at > now();
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
    set search_path = ''
as $$
    delete from pgtape_core.session s where s.token_hash = delete_session.token_hash;
$$;
-- +goose StatementEnd
