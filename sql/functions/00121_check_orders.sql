-- +goose Up
-- check_orders checks orders in themselves, and finds the markets and the accounts that they are for:
-- one for each order, null where it is refused. ids has each account once, ascending; null: there is
-- none.
-- +goose StatementBegin
create or replace function pgtape_core.check_orders(
    orders pgtape_core.order_request[],
    out markets bigint[],
    out accounts bigint[],
    out refusals pgtape_core.refusal[],
    out ids bigint[]
)
    language plpgsql
    stable
as $$
declare
    v_slug    text;
    v_market  bigint;
    v_refusal pgtape_core.refusal;
    v_actor   record;
begin
    refusals := array_fill(null::pgtape_core.refusal, array[cardinality(orders)]);
    accounts := pgtape_core.accounts_of_orders(orders);

    for i in 1 .. cardinality(orders) loop
        v_refusal := pgtape_core.order_error(orders[i]);
        if v_refusal.code is null and accounts[i] is null then
            v_actor := pgtape_core.acting_account(orders[i].account);
            accounts[i] := v_actor.account_id;
            v_refusal := v_actor.refusal;
        end if;
        if orders[i].market is distinct from v_slug then
            v_slug := orders[i].market;
            v_market := pgtape_core.find_market_id(v_slug);
        end if;
        if v_refusal.code is null and accounts[i] is null then
            v_refusal := (
                'not_found', format('the SQL login %s has no account to trade with', session_user),
                'name one (account => …), or let an operator map one: select pgtape.map_login(…)', null
            )::pgtape_core.refusal;
        elsif v_refusal.code is null and v_market is null then
            v_refusal := pgtape_core.no_market(v_slug);
        end if;
        if v_refusal.code is null then
            markets[i] := v_market;
        else
            markets[i] := null;
            accounts[i] := null;
            refusals[i] := v_refusal;
        end if;
    end loop;
    if cardinality(orders) = 1 then -- which a query would take longer to find
        ids := nullif(array_remove(accounts, null), '{}');
        return;
    end if;
    ids := (select array_agg(distinct a) from unnest(accounts) a where a is not null);
end;
$$;
-- +goose StatementEnd

-- accounts_of_orders finds the accounts that the server names in orders, all at once; null: the rest is
-- for acting_account.
-- +goose StatementBegin
create or replace function pgtape_core.accounts_of_orders(orders pgtape_core.order_request[])
    returns bigint[]
    language plpgsql
    stable
as $$
begin
    if not pgtape_core.is_server() then
        return null;
    end if;
    return array(
        select f.id
        from unnest(orders) with ordinality as o
        cross join lateral pgtape_core.find_account_ids(o.account, false) as f (id)
        order by o.ordinality
    );
end;
$$;
-- +goose StatementEnd

-- no_market is the refusal of a slug that no market has.
-- +goose StatementBegin
create or replace function pgtape_core.no_market(market text)
    returns pgtape_core.refusal
    language sql
    immutable
as $$
    select 'not_found', 'there is no market ' || coalesce(pgtape_core.excerpt(market), '(null)'), null,
           jsonb_build_object('market', pgtape_core.excerpt(market));
$$;
-- +goose StatementEnd
