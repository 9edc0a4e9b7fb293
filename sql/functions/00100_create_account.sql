-- +goose Up
-- account_state_of gives what everybody may know of an account.
create or replace function pgtape_core.account_state_of(a pgtape_core.account)
    returns pgtape_core.account_state
    language sql
    immutable
    return (a.handle, a.balance, a.created_at, a.role, a.id)::pgtape_core.account_state;

-- handle_is_reserved tells whether a handle is of those that accounts get whose owner has left.
-- +goose StatementBegin
create or replace function pgtape_core.handle_is_reserved(handle text)
    returns boolean
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select handle ~* '^gone-';
$$;
-- +goose StatementEnd

-- open_account is create_account for the functions that know who may, and what the account begins with.
-- +goose StatementBegin
create or replace function pgtape_core.open_account(handle text, opening_balance numeric)
    returns pgtape_core.account_state
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_balance numeric := open_account.opening_balance;
    v_account pgtape_core.account;
begin
    handle := pgtape_core.spaced(left(handle, 100), false);
    if open_account.handle is null or open_account.handle collate "C" !~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$' then
        perform pgtape_core.refuse(
            'invalid_request', 'a handle has 1 to 32 letters, digits, _ . or -, and begins with a letter or digit'
        );
    end if;
    if pgtape_core.handle_is_reserved(open_account.handle) then
        perform pgtape_core.refuse(
            'invalid_request', 'the handle ' || open_account.handle || ' is reserved', 'choose another handle'
        );
    end if;
    perform pgtape_core.refuse_error(pgtape_core.amount_error('opening_balance', v_balance, 0));

    -- 1. Create. The index decides between two who want the same handle at once.
    insert into pgtape_core.account as a (handle)
    values (open_account.handle)
    on conflict do nothing
    returning a.* into v_account;
    if v_account.id is null then
        perform pgtape_core.refuse(
            'already_exists', 'the handle ' || open_account.handle || ' is taken', 'choose another handle',
            jsonb_build_object('account', open_account.handle)
        );
    end if;

    -- 2. Announce and grant.
    perform pgtape_core.append_house_event(
        v_account.created_at, 'account',
        format('{"account":{"handle":%s,"opening_grant":"%s"}}', to_json(v_account.handle), v_balance::numeric(30, 6))
    );
    perform pgtape_core.transfer(
        'opening_grant', pgtape_core.house(), v_account.id, v_balance, v_account.created_at
    );
    v_account.balance := v_balance;
    return pgtape_core.account_state_of(v_account);
end;
$$;
-- +goose StatementEnd

-- create_account opens an account and grants its opening balance (credits; the setting
-- opening_balance, unless an operator gives another). Server and operators may call it.
-- Locks:  the house's tape, then the house.
-- Writes: account, ledger_entry (kind 'opening_grant'), the house's tape (kind 'account').
-- Raises: TP009 not permitted, or a balance from the server; TP010 handle taken, TP011 bad or reserved
--         handle, bad balance.
-- +goose StatementBegin
create or replace function pgtape.create_account(
    handle text,
    opening_balance numeric default null
)
    returns pgtape_core.account_state
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    if not (pgtape_core.is_server() or pgtape_core.is_operator()) then
        perform pgtape_core.refuse('not_permitted', 'only the server and operators may create accounts');
    end if;
    if create_account.opening_balance is not null and pgtape_core.only_serves() then
        perform pgtape_core.refuse(
            'not_permitted', 'the server gives no opening balance of its own',
            'leave opening_balance out: it is the setting opening_balance of the database'
        );
    end if;
    return pgtape_core.open_account(handle, coalesce(
        create_account.opening_balance,
        case when pgtape_core.only_serves()
            then pgtape_core.opening_credits(false, null, null)
            else (select s.value::numeric from pgtape_core.setting s where s.name = 'opening_balance')
        end
    ));
end;
$$;
-- +goose StatementEnd

-- grant_credits gives an account credits that the house issues. The reason is public. The server
-- names the operator who does it.
-- Locks:  the house's tape, then the house and the account by ascending id.
-- Writes: account, ledger_entry (kind 'grant'), the house's tape (kind 'grant').
-- Raises: TP007 no such account, TP009 caller is no operator, TP011 bad amount, no reason.
-- +goose StatementBegin
create or replace function pgtape.grant_credits(
    account text,
    amount numeric,
    reason text,
    operator text default null
)
    returns pgtape_core.account_state
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor   text := pgtape_core.require_operator(operator);
    v_account pgtape_core.account;
    v_house   bigint;
    v_now     timestamptz;
begin
    perform pgtape_core.refuse_error(coalesce(
        pgtape_core.amount_error('amount', amount),
        case when amount is null then 'amount is missing' end
    ));
    reason := pgtape_core.require_reason(reason);
    v_account := pgtape_core.find_account(account);

    v_house := pgtape_core.house();
    perform from pgtape_core.house_tape h for no key update;
    perform pgtape_core.lock_accounts(array[v_house, v_account.id]);
    select a.* into v_account from pgtape_core.account a where a.id = v_account.id; -- its name may have gone meanwhile
    v_now := clock_timestamp();
    perform pgtape_core.transfer('grant', v_house, v_account.id, amount, v_now);
    perform pgtape_core.append_house_event(
        v_now, 'grant',
        format(
            '{"grant":{"account":%s,"amount":"%s","reason":%s,"actor":%s}}',
            to_json(v_account.handle), amount::numeric(30, 6), to_json(reason), to_json(v_actor)
        )
    );
    perform pgtape_core.log_audit(
        'granted', v_account.handle, v_actor, jsonb_build_object('amount', amount::text, 'reason', reason)
    );
    select a.* into v_account from pgtape_core.account a where a.id = v_account.id;
    return pgtape_core.account_state_of(v_account);
end;
$$;
-- +goose StatementEnd

-- map_login lets an SQL login act as an account: pgtape.trade(…) without account then trades as it.
-- Writes: login.
-- Raises: TP007 no such account or login, TP009 caller is no operator.
-- +goose StatementBegin
create or replace function pgtape.map_login(
    login text,
    account text
)
    returns void
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account pgtape_core.account;
begin
    perform pgtape_core.require_operator();
    if not exists (select from pg_catalog.pg_roles r where r.rolname = map_login.login) then
        perform pgtape_core.refuse(
            'not_found', 'there is no SQL login ' || coalesce(pgtape_core.excerpt(map_login.login), '(null)'),
            'create it: create role … login in role pgtape_trader'
        );
    end if;
    select a.* into v_account
    from pgtape_core.account a
    where a.id = pgtape_core.find_account_id(map_login.account) and a.gone_at is null;
    if v_account.id is null then
        perform pgtape_core.refuse(
            'not_found', 'there is no account ' || coalesce(pgtape_core.excerpt(map_login.account), '(null)'),
            'create it: select * from pgtape.create_account(…)'
        );
    end if;

    insert into pgtape_core.login as l (role_name, account_id, role_oid)
    select r.rolname, v_account.id, r.oid from pg_roles r where r.rolname = map_login.login
    on conflict (role_name) do update set account_id = excluded.account_id, role_oid = excluded.role_oid
    where (l.account_id, l.role_oid) is distinct from (excluded.account_id, excluded.role_oid);
    if found then
        perform pgtape_core.log_audit(
            'login_mapped', v_account.handle, pgtape_core.actor(), jsonb_build_object('login', login)
        );
    end if;
end;
$$;
-- +goose StatementEnd
