-- +goose Up
-- lock_market locks a market's book for a change of its state by an operator.
-- Locks:  the market's book.
-- Raises: TP002 the market is in none of the states, TP007 no such market, TP009 caller is no operator.
-- +goose StatementBegin
create or replace function pgtape_core.lock_market(
    slug text,
    states text[],
    out market pgtape_core.market,
    out book pgtape_core.book
)
    language plpgsql
    volatile
    set search_path = ''
as $$
begin
    perform pgtape_core.require_operator();
    select m.* into market from pgtape_core.market m where m.slug = lock_market.slug;
    if market.id is null then
        perform pgtape_core.raise_refusal(pgtape_core.no_market(slug));
    end if;
    select b.* into book from pgtape_core.book b where b.market_id = market.id for no key update;
    if book.status <> all (states) then
        perform pgtape_core.refuse(
            'market_not_open', format('the market %s is %s', slug, book.status),
            'this needs a market that is ' || array_to_string(states, ' or '),
            jsonb_build_object('market', slug, 'market_status', book.status)
        );
    end if;
end;
$$;
-- +goose StatementEnd

-- announce_status moves a locked market to a state, with the event that says who did it and why.
-- Writes: book, tape.
-- Raises: TP011 no reason.
-- +goose StatementBegin
create or replace function pgtape_core.announce_status(
    m pgtape_core.market,
    b pgtape_core.book,
    status text,
    kind text,
    reason text,
    at timestamptz default clock_timestamp()
)
    returns pgtape_core.market_state
    language plpgsql
    volatile
    set search_path = ''
as $$
begin
    if reason is null or length(trim(reason)) not between 1 and 2000 then
        perform pgtape_core.refuse('invalid_request', 'a reason has 1 to 2000 characters: it is shown to everybody');
    end if;
    b.status := status;
    b := pgtape_core.advance(
        m.slug, b, at, kind,
        format(
            '{%s:{%s"reason":%s,"actor":%s},"status":"%s","prices":%s}',
            to_json(kind),
            '"payout":' || pgtape_core.json_by_outcome(m.outcomes, b.payout) || ',',
            to_json(reason), to_json(pgtape_core.actor()), status,
            pgtape_core.json_by_outcome(m.outcomes, b.prices)
        )
    );
    return pgtape_core.market_state_of(m, b);
end;
$$;
-- +goose StatementEnd

-- halt_market pauses trading in one market.
-- Locks:  the market's book.
-- Writes: book, tape (kind 'halted').
-- Raises: TP002 not open, TP007 no such market, TP009 caller is no operator, TP011 no reason.
-- +goose StatementBegin
create or replace function pgtape.halt_market(market text, reason text)
    returns pgtape_core.market_state
    language plpgsql
    volatile
    security definer
    set search_path = ''
as $$
declare
    v record := pgtape_core.lock_market(market, '{open}');
begin
    return pgtape_core.announce_status(v.market, v.book, 'halted', 'halted', reason);
end;
$$;
-- +goose StatementEnd

-- open_market lets a halted market trade again.
-- Locks:  the market's book.
-- Writes: book, tape (kind 'opened').
-- Raises: TP002 not halted, TP007 no such market, TP009 caller is no operator, TP011 no reason.
-- +goose StatementBegin
create or replace function pgtape.open_market(market text, reason text)
    returns pgtape_core.market_state
    language plpgsql
    volatile
    security definer
    set search_path = ''
as $$
declare
    v record := pgtape_core.lock_market(market, '{halted}');
begin
    return pgtape_core.announce_status(v.market, v.book, 'open', 'opened', reason);
end;
$$;
-- +goose StatementEnd

-- close_market ends trading in one market, before it is resolved.
-- Locks:  the market's book.
-- Writes: book, tape (kind 'closed').
-- Raises: TP002 not open or halted, TP007 no such market, TP009 caller is no operator, TP011 no reason.
-- +goose StatementBegin
create or replace function pgtape.close_market(market text, reason text)
    returns pgtape_core.market_state
    language plpgsql
    volatile
    security definer
    set search_path = ''
as $$
declare
    v record := pgtape_core.lock_market(market, '{open,halted}');
begin
    return pgtape_core.announce_status(v.market, v.book, 'closed', 'closed', reason);
end;
$$;
-- +goose StatementEnd

-- payout_fault says what is wrong with a payout vector, or null if nothing is: one number from 0
-- to 1 for each outcome, together 1.
-- +goose StatementBegin
create or replace function pgtape_core.payout_fault(m pgtape_core.market, payout numeric[])
    returns text
    language sql
    immutable
    set search_path = ''
as $$
    select case
        when payout is null or array_ndims(payout) is distinct from 1 or cardinality(payout) <> cardinality(m.outcomes) then
            format('a payout has one number for each of %s, in this order', array_to_string(m.outcomes, ', '))
        when exists (select from unnest(payout) p where p is null or p = 'NaN' or p not between 0 and 1) then
            'each payout lies between 0 and 1'
        when exists (select from unnest(payout) p where min_scale(p) > 6) then 'a payout has at most 6 decimals'
        when (select sum(p) from unnest(payout) p) <> 1 then 'the payouts of a market sum to 1'
    end;
$$;
-- +goose StatementEnd

-- resolve_market pays out: each share of an outcome brings its payout, each account's sum rounded
-- down to 6 decimals. What the escrow has left returns to who funded it.
-- Locks:  the market's book, then the accounts of its holders, of its funder and its escrow.
-- Writes: ledger_entry (kinds 'payout', 'subsidy_return'), account, book, tape (kind 'resolved').
-- Raises: TP002 resolved already, TP007 no such market, TP009 caller is no operator, TP011 bad payout, no reason.
-- +goose StatementBegin
create or replace function pgtape.resolve_market(market text, payout numeric[], reason text)
    returns pgtape_core.market_state
    language plpgsql
    volatile
    security definer
    set search_path = ''
as $$
declare
    v        record := pgtape_core.lock_market(market, '{open,halted,closed}');
    v_fault  text := pgtape_core.payout_fault(v.market, payout);
    v_now    timestamptz;
    v_market pgtape_core.market := v.market;
    v_book   pgtape_core.book := v.book;
    v_seq    bigint := v_book.version + 1;
    v_holder record;
    v_left   numeric;
begin
    -- 1. Check.
    if v_fault is not null then
        perform pgtape_core.refuse('invalid_request', v_fault);
    end if;

    -- 2. Lock everybody who is paid.
    perform pgtape_core.lock_accounts(
        array(select p.account_id from pgtape_core.position p where p.market_id = v_market.id)
        || v_market.funder_id || v_market.account_id
    );
    v_now := clock_timestamp();

    -- 3. Pay each holder once, then return the rest.
    for v_holder in
        select p.account_id, trunc(sum(p.shares * payout[p.outcome]), 6) as amount
        from pgtape_core.position p
        where p.market_id = v_market.id
        group by p.account_id
        order by p.account_id
    loop
        perform pgtape_core.post('payout', v_market.account_id, v_holder.account_id, v_holder.amount, v_now, v_market.id, v_seq);
    end loop;
    select a.balance into v_left from pgtape_core.account a where a.id = v_market.account_id;
    perform pgtape_core.post('subsidy_return', v_market.account_id, v_market.funder_id, v_left, v_now, v_market.id, v_seq);

    -- 4. Announce.
    v_book.payout := payout;
    return pgtape_core.announce_status(v_market, v_book, 'resolved', 'resolved', reason, v_now);
end;
$$;
-- +goose StatementEnd
