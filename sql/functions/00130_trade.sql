-- +goose Up
-- place carries out orders, those of each market in their turn: each comes to a receipt, or to a
-- refusal and has written nothing. It holds the rules of a trade: every door to trading goes through
-- it. Each order sees what those before it have done, in variables, which are written once at the
-- end. patient: it waits for who has locked what it needs; else it leaves such orders alone, with
-- neither a receipt nor a refusal.
--
-- Each statement is planned once, for any number of orders, and finds rows by their keys, whatever
-- the planner thinks of arrays and of tables that are still small: hence the settings.
-- Locks:  the books of the markets, then the accounts of the orders, each by ascending id.
-- Writes: trade, position, ledger_entry (kind 'trade'), account, book, tape (kind 'trade').
-- +goose StatementBegin
create or replace function pgtape_core.place(
    orders pgtape_core.order_request[],
    patient boolean,
    out receipts pgtape_core.receipt[],
    out refusals pgtape_core.refusal[]
)
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
    set plan_cache_mode = force_generic_plan
    set enable_seqscan = off
    set enable_hashjoin = off
    set enable_mergejoin = off
    set jit = off
as $$
declare
    v_asked     record;
    v_locked    pgtape_core.book[];
    v_traders   record;
    v_balances  numeric[];
    v_keyed     record;
    v_book      pgtape_core.book;
    v_market    pgtape_core.market;
    v_cost      numeric;
    v_holders   bigint[];
    v_held      numeric[];
    v_changed   integer[];
    v_order     pgtape_core.order_request;
    v_trader    integer;
    v_first     integer;
    v_last      integer;
    v_now       timestamptz;
    v_priced    record;
    v_refusal   pgtape_core.refusal;
    v_quote     pgtape_core.quote;
    v_trade     pgtape_core.trade;
    v_trades    pgtape_core.trade[] := '{}';
    v_positions pgtape_core.position[] := '{}';
    v_event     pgtape_core.tape;
    v_events    pgtape_core.tape[] := '{}';
    v_books     pgtape_core.book[] := '{}';
begin
    -- 1. Check each order in itself, and who asks.
    v_asked := pgtape_core.check_orders(orders);
    refusals := v_asked.refusals;
    receipts := array_fill(null::pgtape_core.receipt, array[cardinality(orders)]);
    if v_asked.ids is null then
        return;
    end if;

    -- 2. Lock. One market's trades happen one after the other; others are untouched.
    v_locked := pgtape_core.lock_books(v_asked.markets, patient);
    v_traders := pgtape_core.lock_traders(v_asked.ids, patient);
    v_balances := v_traders.balances;
    v_keyed := pgtape_core.trades_of_keys(orders, v_asked.accounts);

    foreach v_book in array v_locked loop
        select m.* into v_market from pgtape_core.market m where m.id = v_book.market_id;
        v_holders := array(
            select distinct a.id
            from unnest(v_asked.markets, v_asked.accounts) as a (market_id, id)
            where a.market_id = v_book.market_id
        );
        v_held := pgtape_core.shares_of(v_holders, v_book.market_id, cardinality(v_market.outcomes));
        v_cost := null;
        v_changed := '{}';

        for i in 1 .. cardinality(orders) loop
            continue when v_asked.markets[i] is distinct from v_book.market_id;
            v_trader := array_position(v_traders.locked, v_asked.accounts[i]);
            continue when v_trader is null;
            v_order := orders[i];
            if v_order.outcome <> all (v_market.outcomes) then
                v_order.outcome := pgtape_core.outcome_spelled(v_market.outcomes, v_order.outcome);
            end if;
            v_now := clock_timestamp();

            -- 3. Repeat: the key's first receipt, whatever has happened to the market since.
            v_trade := v_keyed.trades[i];
            if v_trade.id is null and v_keyed.repeated then
                select t.* into v_trade
                from unnest(v_trades) t
                where t.account_id = v_asked.accounts[i] and t.idempotency_key = v_order.idempotency_key;
            end if;
            if v_trade.id is not null and v_trade.request_hash <> v_keyed.hashes[i] then
                refusals[i] := (
                    'idempotency_mismatch', 'this idempotency key was used for another order',
                    'use a new key for a new order', null
                )::pgtape_core.refusal;
                continue;
            elsif v_trade.id is not null then
                receipts[i] := pgtape_core.receipt_of(v_trade, v_market.slug, v_order.outcome, v_traders.handles[v_trader], true);
                continue;
            end if;

            -- 4. Check by the state and the clock that the lock guarantees; price; hold to the bounds.
            v_refusal := pgtape_core.closed_to_orders(v_market.slug, v_book.status, v_market.closes_at, v_now);
            if v_refusal.code is null and v_order.deadline < v_now then
                v_refusal := (
                    'deadline_passed', format('the deadline %s has passed', pgtape_core.json_time(v_order.deadline)),
                    'quote again', null
                )::pgtape_core.refusal;
            end if;
            if v_refusal.code is null then
                v_priced := pgtape_core.price_order(v_market, v_book, v_order, v_cost);
                v_quote := v_priced.quote;
                v_refusal := v_priced.refusal;
            end if;
            if v_refusal.code is null then
                v_refusal := pgtape_core.stale_quote(v_order, v_quote);
            end if;
            if v_refusal.code is null then
                -- What the account holds of the outcome, or, for complete sets, of each.
                v_first := (array_position(v_holders, v_asked.accounts[i]) - 1) * cardinality(v_market.outcomes)
                    + coalesce(v_priced.outcome, 1);
                v_last := v_first + case when v_priced.outcome is null then cardinality(v_market.outcomes) - 1 else 0 end;
                v_refusal := pgtape_core.cannot_settle(
                    v_traders.handles[v_trader], v_balances[v_trader], v_held, v_first, v_last, v_quote
                );
            end if;
            if v_refusal.code is not null then
                refusals[i] := v_refusal;
                continue;
            end if;

            -- 5. Act.
            for k in v_first .. v_last loop
                v_held[k] := coalesce(v_held[k], 0) + case v_order.side when 'buy' then v_quote.shares else -v_quote.shares end;
                v_changed := v_changed || k;
            end loop;
            v_balances[v_trader] := v_balances[v_trader] + case v_order.side when 'buy' then -v_quote.amount else v_quote.amount end;
            v_trade := (
                nextval('pgtape_core.trade_id_seq'), v_market.id, v_book.version + 1, v_asked.accounts[i], v_priced.outcome,
                v_order.side, v_quote.shares, v_quote.amount, v_quote.price_before, v_quote.price_after, v_balances[v_trader],
                case when v_first = v_last then v_held[v_first] else pgtape_core.least_of(v_held, v_first, v_last) end, v_now,
                v_order.spend, v_order.expected_price, v_order.expected_version, v_order.max_slippage_bps, v_order.max_cost,
                v_order.min_proceeds, v_order.deadline, v_order.idempotency_key, v_keyed.hashes[i]
            )::pgtape_core.trade;
            v_trades := v_trades || v_trade;
            v_book.outstanding := v_priced.outstanding;
            v_book.prices := v_priced.prices;
            -- Complete sets cost nothing to buy and redeem: what moves no price is no volume.
            if v_trade.outcome is not null then
                v_book.volume := v_book.volume + v_trade.amount;
                v_book.trades := v_book.trades + 1;
            end if;
            v_cost := v_priced.cost;

            -- 6. Announce: the event and the state carry the same seq.
            v_event := pgtape_core.next_event(
                v_market.slug, v_book.version, v_book.head, v_now, 'trade',
                pgtape_core.json_trade(v_trade, v_order.outcome, v_traders.handles[v_trader], v_market.outcomes, v_book.prices)
            );
            v_events := v_events || v_event;
            v_book.version := v_event.seq;
            v_book.head := v_event.hash;
            v_book.updated_at := v_now;
            receipts[i] := pgtape_core.receipt_of(v_trade, v_market.slug, v_order.outcome, v_traders.handles[v_trader], false);
        end loop;

        if v_changed <> '{}' then
            v_books := v_books || v_book;
            v_positions := v_positions || pgtape_core.positions_of(v_changed, v_holders, v_held, v_market);
            perform pgtape_core.ring(v_market.slug, v_book.version);
        end if;
    end loop;

    -- 7. Write what has changed.
    if v_books <> '{}' then
        perform pgtape_core.write_trades(v_trades, v_positions);
        insert into pgtape_core.tape select e.* from unnest(v_events) e;
        perform pgtape_core.write_books(v_books);
    end if;
end;
$$;
-- +goose StatementEnd

-- trade buys or sells shares of one outcome, within the bounds given, or raises and writes nothing.
-- Locks:  the market's book, then the account.
-- Writes: trade, position, ledger_entry, account, book, tape.
-- Raises: TP001 a bound fails (DETAIL has a fresh quote), TP002 market not open, TP003 funds,
--         TP004 shares, TP005 deadline, TP006 key used for another order, TP007 no such market,
--         outcome or account, TP008 bad order, TP009 another's account.
-- +goose StatementBegin
create or replace function pgtape.trade(
    market text,
    outcome text,
    side text,
    shares numeric default null,
    spend numeric default null,
    expected_price numeric default null,
    expected_version bigint default null,
    max_slippage_bps integer default null,
    max_cost numeric default null,
    min_proceeds numeric default null,
    deadline timestamptz default null,
    idempotency_key text default null,
    account text default null
)
    returns pgtape_core.receipt
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_placed record;
begin
    v_placed := pgtape_core.place(array[(
        market, outcome, side, shares, spend, expected_price, expected_version, max_slippage_bps, max_cost,
        min_proceeds, deadline, idempotency_key, account
    )::pgtape_core.order_request], true);
    perform pgtape_core.raise_refusal(v_placed.refusals[1]);
    return v_placed.receipts[1];
end;
$$;
-- +goose StatementEnd
