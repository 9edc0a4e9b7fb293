-- +goose Up
-- trade_batch carries out orders of one market in their turn, in one transaction: each is accepted
-- or refused on its own, every bound checked against the price at its place. Orders of one account
-- see each other's effects. It is what a queue of orders is handed over by; the rules are place's.
-- orders: a JSON array of objects whose members are the arguments of pgtape.trade (but market).
-- Returns a row for each, in order: its receipt, or its refusal ({code, message, hint, detail}).
-- Locks:  the market's book, then, by ascending id, the accounts of all orders that the caller may
--         act for: nobody can hold up others.
-- Writes: trade, position, ledger_entry, account, book, tape.
-- Raises: TP007 no such market, TP008 orders is no such array.
-- +goose StatementBegin
create or replace function pgtape.trade_batch(market text, orders jsonb)
    returns table (n integer, receipt jsonb, refusal jsonb)
    language plpgsql
    volatile
    security definer
    set search_path = ''
as $$
declare
    v_market bigint := (select m.id from pgtape_core.market m where m.slug = trade_batch.market);
    v_order  pgtape_core.order_request;
    v_orders pgtape_core.order_request[];
    v_placed record;
begin
    -- 1. Check, and read the orders.
    if v_market is null then
        perform pgtape_core.raise_refusal(pgtape_core.no_market(market));
    end if;
    begin
        select array_agg(r order by x.i) into v_orders
        from jsonb_array_elements(orders) with ordinality as x (o, i)
        cross join lateral jsonb_populate_record(null::pgtape_core.order_request, x.o) r;
    exception
        when data_exception then
            perform pgtape_core.refuse('invalid_order', 'orders must be a JSON array of orders: ' || sqlerrm);
    end;

    -- 2. Lock the market, then everybody who trades, so that two batches never wait for each other.
    perform from pgtape_core.book b where b.market_id = v_market for no key update;
    perform pgtape_core.lock_accounts(array(
        select distinct a.account_id
        from (select distinct o.account from unnest(v_orders) o) o
        cross join lateral pgtape_core.acting_account(o.account) a
        where a.account_id is not null and (a.refusal).code is null
    ));

    -- 3. One after the other.
    n := 0;
    foreach v_order in array coalesce(v_orders, '{}') loop
        n := n + 1;
        v_order.market := market;
        v_placed := pgtape_core.place(v_order);
        receipt := null;
        refusal := null;
        if (v_placed.refusal).code is null then
            receipt := pgtape_core.json_receipt(v_placed.receipt);
        else
            refusal := to_jsonb(v_placed.refusal);
        end if;
        return next;
    end loop;
end;
$$;
-- +goose StatementEnd

-- json_receipt gives a receipt as JSON, numbers as strings.
-- +goose StatementBegin
create or replace function pgtape_core.json_receipt(r pgtape_core.receipt)
    returns jsonb
    language sql
    immutable
    set search_path = ''
as $$
    select jsonb_build_object(
        'market', r.market, 'version', r.version, 'outcome', r.outcome, 'side', r.side,
        'shares', r.shares::text, 'amount', r.amount::text, 'avg_price', r.avg_price::text,
        'price_before', r.price_before::text, 'price_after', r.price_after::text, 'trade_id', r.trade_id,
        'account', r.account, 'balance', r.balance::text, 'position', r."position"::text,
        'at', pgtape_core.json_time(r.at), 'replayed', r.replayed
    );
$$;
-- +goose StatementEnd
