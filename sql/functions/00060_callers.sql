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
-- Raises: TP007 no such account, TP009 no operator, or the server has no proof: 00065_proofs.sql.
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
    perform pgtape_core.require_proof(v_actor.account_id, 'operate');
    return v_actor.account;
end;
$$;
-- +goose StatementEnd

-- require_creator_or_operator gives the name of who acts on a market: its maker, or an operator.
-- Raises: TP007 no such account, TP009 neither.
-- +goose StatementBegin
create or replace function pgtape_core.require_creator_or_operator(market text, account text)
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
        select
        from pgtape_core.market m
        where m.id = pgtape_core.find_market_id(require_creator_or_operator.market) and m.funder_id = v_actor.account_id
    ) then
        return v_actor.account;
    end if;
    return pgtape_core.require_operator(account);
end;
$$;
-- +goose StatementEnd

-- find_account_ids gives the account of a person by its handle, as typed, or, as the server names it, by
-- '#' and its id: a handle can become somebody else's. Of two handles that are read as the same, which
-- earlier versions may have taken, the one that is spelled so comes first. Null: there is none. It becomes
-- a part of the query that calls it, and so pins no search_path; its names are bound when it is made.
-- gone: it may be the account of somebody who has left. The offsets keep the planner from folding the name
-- for each account, and from reading all persons where it believes that they are few.
-- +goose StatementBegin
create or replace function pgtape_core.find_account_ids(name text, gone boolean)
    returns setof bigint
    language sql
    stable
    rows 1
begin atomic
    select case
        when name ~ '^#[0-9]{1,18}$' then (
            select a.id
            from pgtape_core.account a
            where a.id = substr(name, 2)::bigint and a.kind = 'person' and (gone or a.gone_at is null)
        )
        else (
            select a.id
            from (select pgtape_core.identifier(name) as handle offset 0) as typed
            cross join lateral (
                select x.* from pgtape_core.account x where lower(x.handle collate "C") = typed.handle offset 0
            ) as a
            where a.kind = 'person' and (gone or a.gone_at is null)
            order by a.handle = name desc, a.look_alike
            limit 1
        )
    end;
end;
-- +goose StatementEnd

-- find_account_id is find_account_ids for one, of somebody who has left too.
-- +goose StatementBegin
create or replace function pgtape_core.find_account_id(name text)
    returns bigint
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select f.id from pgtape_core.find_account_ids(name, true) as f (id);
$$;
-- +goose StatementEnd

-- own_account_id gives the account that the caller's SQL login is mapped to; null: none. The login is
-- the role that was mapped, not another one that has its name now. Security definer, since views call it.
-- +goose StatementBegin
create or replace function pgtape_core.own_account_id()
    returns bigint
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select l.account_id
    from pgtape_core.login l
    where l.role_name = session_user and l.role_oid = (select r.oid from pg_roles r where r.rolname = session_user);
$$;
-- +goose StatementEnd

-- actor names the caller in events: the handle of its account, or else 'login:' and its SQL login,
-- which nobody can have for a handle.
-- +goose StatementBegin
create or replace function pgtape_core.actor()
    returns text
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        (select a.handle from pgtape_core.account a where a.id = pgtape_core.own_account_id()),
        'login:' || session_user
    );
$$;
-- +goose StatementEnd

-- find_market_id finds a market by its slug, as typed; null: there is none.
-- +goose StatementBegin
create or replace function pgtape_core.find_market_id(slug text)
    returns bigint
    language plpgsql
    stable
as $$
declare
    v_id bigint := (select m.id from pgtape_core.market m where m.slug = find_market_id.slug);
begin
    if v_id is null then
        v_id := (
            select m.id
            from pgtape_core.market m
            where m.slug = (select pgtape_core.identifier(find_market_id.slug))
        );
    end if;
    return v_id;
end;
$$;
-- +goose StatementEnd

-- find_market finds a market by its slug, as typed.
-- Raises: TP007 no such market.
-- +goose StatementBegin
create or replace function pgtape_core.find_market(slug text)
    returns pgtape_core.market
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_market pgtape_core.market;
begin
    select m.* into v_market from pgtape_core.market m where m.id = pgtape_core.find_market_id(find_market.slug);
    if v_market.id is null then
        perform pgtape_core.raise_refusal(pgtape_core.no_market(slug));
    end if;
    return v_market;
end;
$$;
-- +goose StatementEnd

-- house gives the id of the house's account, which issues all credits.
-- +goose StatementBegin
create or replace function pgtape_core.house()
    returns bigint
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select a.id from pgtape_core.account a where lower(a.handle collate "C") = 'house' and a.kind = 'house';
$$;
-- +goose StatementEnd

-- name_of_account gives the handle of an account as it is spelled, for one that was typed; null: there is
-- none.
-- +goose StatementBegin
create or replace function pgtape.name_of_account(handle text)
    returns text
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select a.handle from pgtape_core.account a where a.id = pgtape_core.find_account_id(name_of_account.handle);
$$;
-- +goose StatementEnd

-- name_of_market gives the slug of a market as it is spelled, for one that was typed; null: there is none.
-- +goose StatementBegin
create or replace function pgtape.name_of_market(slug text)
    returns text
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select m.slug from pgtape_core.market m where m.id = pgtape_core.find_market_id(name_of_market.slug);
$$;
-- +goose StatementEnd

-- acting_account finds the account that the caller acts for: its own, or, for the server, the one
-- it names. No account and no refusal: the caller named none and has none. Nobody acts for an account
-- whose owner has left.
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
declare
    v_own bigint;
begin
    -- 1. One's own, by the SQL login.
    if handle is null then
        select a.id, a.handle into account_id, account
        from pgtape_core.account a
        where a.id = pgtape_core.own_account_id();
        return;
    end if;

    -- 2. A named one: anybody may name himself, the server anybody.
    select a.id, a.handle into account_id, account
    from pgtape_core.account a
    where a.id = pgtape_core.find_account_id(acting_account.handle) and a.gone_at is null;
    v_own := pgtape_core.own_account_id();

    if not pgtape_core.is_server() and (account_id is null or v_own is distinct from account_id) then
        refusal := (
            'not_permitted', 'you may act for your own account only',
            'leave account out, or connect as a member of pgtape_server', null
        )::pgtape_core.refusal;
    elsif account_id is null then
        refusal := (
            'not_found', 'there is no account ' || pgtape_core.excerpt(handle),
            'create it: select * from pgtape.create_account(' || quote_literal(pgtape_core.excerpt(handle)) || ')',
            jsonb_build_object('account', pgtape_core.excerpt(handle))
        )::pgtape_core.refusal;
    end if;
end;
$$;
-- +goose StatementEnd

-- find_account finds the account of a handle, that of somebody who has left too.
-- Raises: TP007 no such account.
-- +goose StatementBegin
create or replace function pgtape_core.find_account(handle text)
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
    where a.id = pgtape_core.find_account_id(find_account.handle);
    if v_account.id is null then
        perform pgtape_core.refuse(
            'not_found', 'there is no account ' || coalesce(pgtape_core.excerpt(handle), '(null)')
        );
    end if;
    return v_account;
end;
$$;
-- +goose StatementEnd

-- find_active_account is find_account for those who are still here: nobody signs in as one who has left.
-- Raises: TP007 no such account, or nobody's any more.
-- +goose StatementBegin
create or replace function pgtape_core.find_active_account(handle text)
    returns pgtape_core.account
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account pgtape_core.account := pgtape_core.find_account(handle);
begin
    if v_account.gone_at is not null then
        perform pgtape_core.refuse('not_found', pgtape_core.excerpt(handle) || ' has left');
    end if;
    return v_account;
end;
$$;
-- +goose StatementEnd
