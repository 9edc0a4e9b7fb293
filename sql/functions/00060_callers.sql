-- +goose Up
-- Who is calling. session_user, not current_user: these functions run as their owner.

-- is_server tells whether the caller acts for others: a member of the server's role (superusers are).
create or replace function pgtape_core.is_server()
    returns boolean
    language sql
    stable
    return pg_has_role(session_user, 'pgtape_server', 'member');

-- is_operator tells whether the caller may run markets and grant credits.
create or replace function pgtape_core.is_operator()
    returns boolean
    language sql
    stable
    return pg_has_role(session_user, 'pgtape_operator', 'member');

-- require_operator gives the name of the operator who acts. Where an account is named, its role
-- decides, never the login: a server does nothing for a trader that its own login might.
-- Raises: TP007 no such account, TP009 no operator.
-- +goose StatementBegin
create or replace function pgtape_core.require_operator(account text default null)
    returns text
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
begin
    return pgtape_core.require_role(account, '{operator,admin}');
end;
$$;
-- +goose StatementEnd

-- require_role is require_operator for a choice of roles. An SQL operator has them all.
-- +goose StatementBegin
create or replace function pgtape_core.require_role(account text, roles text[])
    returns text
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor record;
begin
    if account is null then
        if not pgtape_core.is_operator() then
            perform pgtape_core.refuse(
                'not_permitted', format('only %ss may do this', roles[1]),
                'grant the role pgtape_operator to ' || quote_ident(session_user)
            );
        end if;
        return pgtape_core.actor();
    end if;
    v_actor := pgtape_core.acting_account(account);
    perform pgtape_core.raise_refusal(v_actor.refusal);
    if not exists (select from pgtape_core.account a where a.id = v_actor.account_id and a.role = any (roles)) then
        perform pgtape_core.refuse(
            'not_permitted', format('only %ss may do this', roles[1]),
            'an admin gives roles: pgtape account role ' || v_actor.account || ' ' || roles[1]
        );
    end if;
    return v_actor.account;
end;
$$;
-- +goose StatementEnd

-- require_runner gives the name of who acts on a market: its maker, or an operator.
-- Raises: TP007 no such account, TP009 neither.
-- +goose StatementBegin
create or replace function pgtape_core.require_runner(market text, account text)
    returns text
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor record := pgtape_core.acting_account(account);
begin
    perform pgtape_core.raise_refusal(v_actor.refusal);
    if exists (
        select from pgtape_core.market m where m.slug = require_runner.market and m.funder_id = v_actor.account_id
    ) then
        return v_actor.account;
    end if;
    return pgtape_core.require_operator(account);
end;
$$;
-- +goose StatementEnd

-- actor names the caller in events: the handle of its account, or else its SQL login. Security
-- definer, since views call it.
-- +goose StatementBegin
create or replace function pgtape_core.actor()
    returns text
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        (select a.handle
         from pgtape_core.login l
         join pgtape_core.account a on a.id = l.account_id
         where l.role_name = session_user),
        session_user::text
    );
$$;
-- +goose StatementEnd

-- acting_account finds the account that the caller acts for: its own, or, for the server, the one
-- it names. No account and no refusal: the caller named none and has none.
-- +goose StatementBegin
create or replace function pgtape_core.acting_account(
    handle text,
    out account_id bigint,
    out account text,
    out refusal pgtape_core.refusal
)
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
begin
    -- 1. One's own, by the SQL login.
    if handle is null then
        select a.id, a.handle into account_id, account
        from pgtape_core.login l
        join pgtape_core.account a on a.id = l.account_id
        where l.role_name = session_user;
        return;
    end if;

    -- 2. A named one: anybody may name himself, the server anybody.
    select a.id, a.handle into account_id, account
    from pgtape_core.account a
    where lower(a.handle) = lower(acting_account.handle) and a.kind = 'person';

    if not pgtape_core.is_server() and not exists (
        select from pgtape_core.login l where l.role_name = session_user and l.account_id = acting_account.account_id
    ) then
        refusal := (
            'not_permitted', 'you may act for your own account only',
            'leave account out, or connect as a member of pgtape_server', null
        )::pgtape_core.refusal;
    elsif account_id is null then
        refusal := (
            'not_found', 'there is no account ' || handle,
            'create it: select * from pgtape.create_account(' || quote_literal(handle) || ')',
            jsonb_build_object('account', handle)
        )::pgtape_core.refusal;
    end if;
end;
$$;
-- +goose StatementEnd

-- person finds the account of a handle, that of somebody who has left too.
-- Raises: TP007 no such account.
-- +goose StatementBegin
create or replace function pgtape_core.person(handle text)
    returns pgtape_core.account
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account pgtape_core.account;
begin
    select a.* into v_account
    from pgtape_core.account a
    where lower(a.handle) = lower(person.handle) and a.kind = 'person';
    if v_account.id is null then
        perform pgtape_core.refuse('not_found', 'there is no account ' || coalesce(handle, '(null)'));
    end if;
    return v_account;
end;
$$;
-- +goose StatementEnd

-- member is person for those who are still here: nobody signs in as who has left.
-- Raises: TP007 no such account, or nobody's any more.
-- +goose StatementBegin
create or replace function pgtape_core.member(handle text)
    returns pgtape_core.account
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account pgtape_core.account := pgtape_core.person(handle);
begin
    if v_account.gone_at is not null then
        perform pgtape_core.refuse('not_found', handle || ' has left');
    end if;
    return v_account;
end;
$$;
-- +goose StatementEnd
