-- +goose Up
-- Paying out: each share of an outcome brings its payout, once. What is found to be wrong later is
-- corrected by further entries, never by edits.

-- payout_by_account gives what a payout makes of the shares of each holder of a market, rounded down to 6 decimals.
-- +goose StatementBegin
create or replace function pgtape_core.payout_by_account(market bigint, payout numeric[])
    returns table (account_id bigint, amount numeric)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select p.account_id, trunc(sum(p.shares * payout[p.outcome]), 6)
    from pgtape_core.position p
    where p.market_id = payout_by_account.market
    group by p.account_id
    order by p.account_id;
$$;
-- +goose StatementEnd

-- lock_holders locks everybody whom a payout of a market concerns.
-- Locks:  the accounts of its holders, of its funder, its escrow and the house, by ascending id.
-- +goose StatementBegin
create or replace function pgtape_core.lock_holders(m pgtape_core.market)
    returns void
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform pgtape_core.lock_accounts(
        array(select p.account_id from pgtape_core.position p where p.market_id = m.id)
        || m.funder_id || m.account_id
        || pgtape_core.house()
    );
end;
$$;
-- +goose StatementEnd

-- pay_out pays each holder of a locked market and returns what its escrow has left to who funded it.
-- Locks:  see lock_holders.
-- Writes: ledger_entry (kinds 'payout', 'subsidy_return'), account, book, tape (kind as given), notification.
-- Raises: TP011 bad payout, no reason.
-- +goose StatementBegin
create or replace function pgtape_core.pay_out(
    m pgtape_core.market,
    b pgtape_core.book,
    payout numeric[],
    status text,
    reason text,
    actor text
)
    returns pgtape_core.market_state
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_now      timestamptz;
    v_accounts bigint[];
    v_amounts  numeric[];
    v_left     numeric;
begin
    -- 1. Check.
    perform pgtape_core.refuse_error(pgtape_core.payout_error(m, payout));

    -- 2. Lock everybody who is paid.
    perform pgtape_core.lock_holders(m);
    v_now := clock_timestamp();

    -- 3. Pay each holder once, in one transaction of the ledger, then return the rest.
    select array_agg(d.account_id), array_agg(d.amount) into v_accounts, v_amounts
    from pgtape_core.payout_by_account(m.id, payout) d;
    perform pgtape_core.post(
        'payout', v_accounts || m.account_id, v_amounts || -coalesce((select sum(a) from unnest(v_amounts) a), 0),
        v_now, m.id, b.version + 1
    );
    select a.balance into v_left from pgtape_core.account a where a.id = m.account_id;
    perform pgtape_core.transfer('subsidy_return', m.account_id, m.funder_id, v_left, v_now, m.id, b.version + 1);

    -- 4. Announce.
    perform pgtape_core.notify_payout(m, status, b.version + 1, payout, v_accounts, v_amounts, v_now);
    b.payout := payout;
    return pgtape_core.move_market(m, b, status, status, reason, pgtape_core.json_payout(m, payout), actor, v_now);
end;
$$;
-- +goose StatementEnd

-- resolve_market pays out by what happened.
-- Locks:  the market's book, then the accounts of its holders, of its funder and its escrow.
-- Writes: ledger_entry (kinds 'payout', 'subsidy_return'), account, book, tape (kind 'resolved').
-- Raises: TP002 a draft, or final already, TP007 no such market, TP009 caller is no operator,
--         TP011 bad payout, no reason.
-- +goose StatementBegin
create or replace function pgtape.resolve_market(market text, payout numeric[], reason text, account text default null)
    returns pgtape_core.market_state
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor text := pgtape_core.require_operator(account);
    v       record;
begin
    v := pgtape_core.lock_market(market, pgtape_core.states_for('resolve'));
    return pgtape_core.pay_out(v.market, v.book, payout, 'resolved', reason, v_actor);
end;
$$;
-- +goose StatementEnd

-- void_market ends a market whose question has no answer: it pays out the vector that was declared
-- for that when the market was made. What traders have paid is not refunded: a refund can be farmed.
-- Locks:  the market's book, then the accounts of its holders, of its funder and its escrow.
-- Writes: ledger_entry (kinds 'payout', 'subsidy_return'), account, book, tape (kind 'void').
-- Raises: TP002 final already, TP007 no such market, TP009 caller is no operator, TP011 no reason.
-- +goose StatementBegin
create or replace function pgtape.void_market(market text, reason text, account text default null)
    returns pgtape_core.market_state
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor  text := pgtape_core.require_operator(account);
    v        record;
    v_market pgtape_core.market;
begin
    v := pgtape_core.lock_market(market, pgtape_core.states_for('void'));
    v_market := v.market;
    return pgtape_core.pay_out(v_market, v.book, v_market.void_payout, 'void', reason, v_actor);
end;
$$;
-- +goose StatementEnd

-- entitled gives what each account should have of a market that has paid out: holders what the
-- payout makes of their shares, the funder the rest of what the escrow held.
-- +goose StatementBegin
create or replace function pgtape_core.entitled(m pgtape_core.market, payout numeric[])
    returns table (account_id bigint, amount numeric)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select x.account_id, sum(x.amount)
    from (
        select d.account_id, d.amount from pgtape_core.payout_by_account(m.id, payout) d
        union all
        select m.funder_id, (select -sum(e.amount)
                             from pgtape_core.ledger_entry e
                             where e.account_id = m.account_id and e.kind in ('payout', 'subsidy_return'))
            - coalesce((select sum(d.amount) from pgtape_core.payout_by_account(m.id, payout) d), 0)
    ) x
    group by x.account_id;
$$;
-- +goose StatementEnd

-- received gives what each account has had of a market that has paid out, corrections included.
-- +goose StatementBegin
create or replace function pgtape_core.received(m pgtape_core.market)
    returns table (account_id bigint, amount numeric)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select e.account_id, sum(e.amount)
    from pgtape_core.ledger_entry e
    where e.market_id = m.id and e.kind in ('payout', 'subsidy_return', 'correction') and e.account_id <> m.account_id
    group by e.account_id;
$$;
-- +goose StatementEnd

-- correct_resolution replaces a payout that was wrong: each holder gets, or gives back, the
-- difference to what it has had, the funder the rest. Who has spent what must be given back gives
-- what is there; the house gives what is short, and the event says for whom. The wrong payout stays
-- in the history.
-- Locks:  the market's book, then the accounts of its holders, of its funder and the house.
-- Writes: ledger_entry (kind 'correction'), account, book, tape (kind 'corrected').
-- Raises: TP002 not paid out yet, TP007 no such market, TP009 caller is no operator, TP011 bad payout, no reason.
-- +goose StatementBegin
create or replace function pgtape.correct_resolution(
    market text,
    payout numeric[],
    reason text,
    account text default null
)
    returns pgtape_core.market_state
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor    text := pgtape_core.require_operator(account);
    v          record;
    v_market   pgtape_core.market;
    v_book     pgtape_core.book;
    v_now      timestamptz;
    v_accounts bigint[];
    v_amounts  numeric[];
    v_shorts   text;
begin
    -- 1. Check, and lock everybody concerned.
    v := pgtape_core.lock_market(market, pgtape_core.states_for('correct'));
    v_market := v.market;
    v_book := v.book;
    perform pgtape_core.refuse_error(pgtape_core.payout_error(v_market, payout));
    perform pgtape_core.lock_holders(v_market);
    v_now := clock_timestamp();

    -- 2. What everybody must get or give; nobody more than he has.
    with difference as (
        select a.id as account_id, a.handle, x.amount, greatest(-x.amount - a.balance, 0) as short
        from (
            select account_id, coalesce(n.amount, 0) - coalesce(r.amount, 0) as amount
            from pgtape_core.entitled(v_market, payout) n
            full join pgtape_core.received(v_market) r using (account_id)
        ) x
        join pgtape_core.account a on a.id = x.account_id and a.kind = 'person'
    )
    select array_agg(d.account_id order by d.account_id), array_agg(d.amount + d.short order by d.account_id),
           coalesce(string_agg(to_json(d.handle) || ':"' || d.short::numeric(30, 6) || '"', ',' order by d.account_id)
               filter (where d.short > 0), '')
    into v_accounts, v_amounts, v_shorts
    from difference d;

    -- 3. Book it. The house is on the other side: what it funded, and what is short.
    perform pgtape_core.post(
        'correction',
        v_accounts || pgtape_core.house(),
        v_amounts || -coalesce((select sum(a) from unnest(v_amounts) a), 0),
        v_now, v_market.id, v_book.version + 1
    );

    -- 4. Announce.
    perform pgtape_core.notify_payout(v_market, 'corrected', v_book.version + 1, payout, v_accounts, v_amounts, v_now);
    v_book.payout := payout;
    return pgtape_core.move_market(
        v_market, v_book, 'resolved', 'corrected', reason,
        pgtape_core.json_payout(v_market, payout) || '"short":{' || v_shorts || '},', v_actor, v_now
    );
end;
$$;
-- +goose StatementEnd
