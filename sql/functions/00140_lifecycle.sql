-- +goose Up
-- The life of a market: draft → open ⇄ halted → closed → proposed → (disputed) → resolved, or void.
-- Each move is a function with a reason, and an event on the tape that names its actor.

-- states_for names the states that a market may make a move from.
-- +goose StatementBegin
create or replace function pgtape_core.states_for(move text)
    returns text[]
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select case move
        when 'open' then '{draft,halted}'
        when 'halt' then '{open}'
        when 'close' then '{open,halted}'
        when 'propose' then '{closed,proposed,disputed}'
        when 'dispute' then '{proposed}'
        when 'resolve' then '{open,halted,closed,proposed,disputed}'
        when 'void' then '{draft,open,halted,closed,proposed,disputed}'
        when 'correct' then '{resolved,void}'
    end::text[];
$$;
-- +goose StatementEnd

-- holds_shares tells whether an account holds shares of a market.
-- +goose StatementBegin
create or replace function pgtape_core.holds_shares(account_id bigint, market_id bigint)
    returns boolean
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from pgtape_core.position p
        where p.account_id = holds_shares.account_id and p.market_id = holds_shares.market_id and p.shares > 0
    );
$$;
-- +goose StatementEnd

-- may_dispute tells whether an account is concerned by a market: it holds shares, or operates.
-- +goose StatementBegin
create or replace function pgtape_core.may_dispute(account_id bigint, market_id bigint)
    returns boolean
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select from pgtape_core.account a where a.id = may_dispute.account_id and a.role in ('operator', 'admin')
    ) or pgtape_core.holds_shares(account_id, market_id);
$$;
-- +goose StatementEnd

-- lock_market locks a market's book for a change of its state.
-- Locks:  the market's book.
-- Raises: TP002 the market is in none of the states, TP007 no such market.
-- +goose StatementBegin
create or replace function pgtape_core.lock_market(
    slug text,
    states text[],
    out market pgtape_core.market,
    out book pgtape_core.book
)
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
begin
    market := pgtape_core.find_market(slug);
    select b.* into book from pgtape_core.book b where b.market_id = market.id for no key update;
    if book.status <> all (states) then
        perform pgtape_core.refuse(
            'market_not_open', format('the market %s is %s', market.slug, book.status),
            'this needs a market that is ' || array_to_string(states, ' or '),
            jsonb_build_object('market', market.slug, 'market_status', book.status)
        );
    end if;
end;
$$;
-- +goose StatementEnd

-- move_market moves a locked market to a status, with the event that says who did it and why.
-- extra: members of the event before reason and actor, each with a comma behind it.
-- Writes: book, tape, audit_entry.
-- Raises: TP011 no reason.
-- +goose StatementBegin
create or replace function pgtape_core.move_market(
    m pgtape_core.market,
    b pgtape_core.book,
    status text,
    kind text,
    reason text,
    extra text,
    actor text,
    at timestamptz default clock_timestamp()
)
    returns pgtape_core.market_state
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
begin
    reason := pgtape_core.require_reason(reason);
    b.status := status;
    perform pgtape_core.log_audit(kind, m.slug, actor, jsonb_build_object('reason', reason));
    b := pgtape_core.append_event(
        m.slug, b, at, kind,
        format(
            '{%s:{%s"reason":%s,"actor":%s},"status":"%s","prices":%s}',
            to_json(kind), extra, to_json(reason), to_json(actor), status,
            pgtape_core.json_by_outcome(m.outcomes, b.prices)
        )
    );
    return pgtape_core.market_state_of(m, b);
end;
$$;
-- +goose StatementEnd

-- operate is a plain move: an operator takes a market from where it may begin to a status. The server
-- names the account that does it, here and below; an SQL login acts as itself.
-- Locks:  the market's book.
-- Writes: book, tape.
-- Raises: TP002 in none of the states, TP007 no such market, TP011 no reason.
-- +goose StatementBegin
create or replace function pgtape_core.operate(market text, move text, status text, kind text, reason text, actor text)
    returns pgtape_core.market_state
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v record;
begin
    v := pgtape_core.lock_market(market, pgtape_core.states_for(move));
    return pgtape_core.move_market(v.market, v.book, status, kind, reason, '', actor);
end;
$$;
-- +goose StatementEnd

-- halt_market pauses trading in one market.
-- Locks, writes, raises: as pgtape_core.operate; tape kind 'halted'; TP002 not open.
-- +goose StatementBegin
create or replace function pgtape.halt_market(market text, reason text, account text default null)
    returns pgtape_core.market_state
    language sql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select * from pgtape_core.operate(
        market, 'halt', 'halted', 'halted', reason, pgtape_core.require_operator(account)
    );
$$;
-- +goose StatementEnd

-- open_market lets a draft, or a halted market, trade.
-- Locks, writes, raises: as pgtape_core.operate; tape kind 'opened'; TP002 neither.
-- +goose StatementBegin
create or replace function pgtape.open_market(market text, reason text, account text default null)
    returns pgtape_core.market_state
    language sql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select * from pgtape_core.operate(market, 'open', 'open', 'opened', reason, pgtape_core.require_operator(account));
$$;
-- +goose StatementEnd

-- close_market ends trading in one market, before it is resolved. Its maker may, and operators.
-- Locks, writes, raises: as pgtape_core.operate; tape kind 'closed'; TP002 not open or halted.
-- +goose StatementBegin
create or replace function pgtape.close_market(market text, reason text, account text default null)
    returns pgtape_core.market_state
    language sql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select * from pgtape_core.operate(
        market, 'close', 'closed', 'closed', reason, pgtape_core.require_creator_or_operator(market, account)
    );
$$;
-- +goose StatementEnd

-- payout_error says what is wrong with a payout vector, or null if nothing is: one number from 0
-- to 1 for each outcome, together 1. {1,0} is a plain answer, {0.5,0.5} a shared one, {0.37,0.63} a
-- value between the bounds of a scale.
-- +goose StatementBegin
create or replace function pgtape_core.payout_error(m pgtape_core.market, payout numeric[])
    returns text
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select case
        when payout is null or array_ndims(payout) is distinct from 1
            or cardinality(payout) <> cardinality(m.outcomes) then
            format('a payout has one number for each of %s, in this order', array_to_string(m.outcomes, ', '))
        when exists (select from unnest(payout) p where p is null or p = 'NaN' or p not between 0 and 1) then
            'each payout lies between 0 and 1'
        when exists (select from unnest(payout) p where min_scale(p) > 6) then 'a payout has at most 6 decimals'
        when (select sum(p) from unnest(payout) p) <> 1 then 'the payouts of a market sum to 1'
    end;
$$;
-- +goose StatementEnd

-- json_payout gives a payout as a member of an event.
-- +goose StatementBegin
create or replace function pgtape_core.json_payout(m pgtape_core.market, payout numeric[])
    returns text
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select '"payout":' || pgtape_core.json_by_outcome(m.outcomes, payout::numeric(7, 6)[]) || ',';
$$;
-- +goose StatementEnd

-- propose_resolution says how a closed market is to be resolved, so that those concerned may dispute
-- it before it is paid out. A proposal may be replaced, also after a dispute. The market's maker may
-- propose, and operators.
-- Locks:  the market's book.
-- Writes: book, tape (kind 'proposed'), notification.
-- Raises: TP002 not closed, proposed or disputed, TP007 no such market, TP009 neither maker nor operator,
--         TP011 bad payout, no reason.
-- +goose StatementBegin
create or replace function pgtape.propose_resolution(
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
    v_actor text := pgtape_core.require_creator_or_operator(market, account);
    v       record;
    v_book  pgtape_core.book;
begin
    v := pgtape_core.lock_market(market, pgtape_core.states_for('propose'));
    perform pgtape_core.require_proposal_rate(v.market, account);
    perform pgtape_core.refuse_error(pgtape_core.payout_error(v.market, payout));
    v_book := v.book;
    v_book.proposal := payout;
    perform pgtape_core.notify_proposal(v.market, v_book.version + 1, payout);
    return pgtape_core.move_market(
        v.market, v_book, 'proposed', 'proposed', reason, pgtape_core.json_payout(v.market, payout), v_actor
    );
end;
$$;
-- +goose StatementEnd

-- dispute_market objects to a proposed resolution. Whoever holds shares may, and operators.
-- Locks:  the market's book.
-- Writes: book, tape (kind 'disputed').
-- Raises: TP002 nothing is proposed, TP007 no such market or account, TP009 not concerned, TP011 no reason.
-- +goose StatementBegin
create or replace function pgtape.dispute_market(market text, reason text, account text default null)
    returns pgtape_core.market_state
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor  record := pgtape_core.acting_account(account);
    v        record;
    v_market pgtape_core.market;
begin
    perform pgtape_core.raise_refusal(v_actor.refusal);
    v := pgtape_core.lock_market(market, pgtape_core.states_for('dispute'));
    perform pgtape_core.require_proposal_rate(v.market, account);
    v_market := v.market;
    if not (account is null and pgtape_core.is_operator()) then
        if not pgtape_core.may_dispute(v_actor.account_id, v_market.id) then
            perform pgtape_core.refuse(
                'not_permitted', 'only those who hold shares of the market, and operators, may dispute'
            );
        elsif not pgtape_core.holds_shares(v_actor.account_id, v_market.id) then
            perform pgtape_core.require_proof(v_actor.account_id, 'operate');
        end if;
    end if;
    return pgtape_core.move_market(
        v_market, v.book, 'disputed', 'disputed', reason, '', coalesce(v_actor.account, pgtape_core.actor())
    );
end;
$$;
-- +goose StatementEnd
