-- +goose Up
-- What is to be known before a market is made, or moved: nothing here changes anything.

-- moves names the moves that an account may make in a market as it stands, in the order of its life.
-- Raises: TP007 no such market.
-- +goose StatementBegin
create or replace function pgtape.moves(market text, account text)
    returns text[]
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_market   pgtape_core.market;
    v_status   text;
    v_account  pgtape_core.account;
    v_operates boolean;
    v_runs     boolean;
begin
    v_market := pgtape_core.find_market(market);
    select b.status into v_status from pgtape_core.book b where b.market_id = v_market.id;
    select a.* into v_account from pgtape_core.account a where a.id = pgtape_core.find_account_id(moves.account);
    v_operates := coalesce(v_account.role in ('operator', 'admin'), false);
    v_runs := v_operates or coalesce(v_market.funder_id = v_account.id, false);

    return array(
        select x.move
        from (values
            (1, 'open', v_operates),
            (2, 'halt', v_operates),
            (3, 'close', v_runs),
            (4, 'propose', v_runs),
            (5, 'dispute', pgtape_core.may_dispute(v_account.id, v_market.id)),
            (6, 'resolve', v_operates),
            (7, 'void', v_operates),
            (8, 'correct', v_operates)
        ) as x (place, move, may)
        where x.may and v_status = any (pgtape_core.states_for(x.move))
        order by x.place
    );
end;
$$;
-- +goose StatementEnd

-- settlement tells what a payout would do to a market as it stands: how many people it would pay,
-- how many credits in all, and what would return to whom from the escrow. A null payout is the one
-- that was declared for a void market.
-- Raises: TP007 no such market, TP011 bad payout.
-- +goose StatementBegin
create or replace function pgtape.settlement(
    market text,
    payout numeric[] default null,
    out people bigint,
    out paid numeric,
    out returned numeric,
    out funder text
)
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_market pgtape_core.market;
    v_payout numeric[];
begin
    v_market := pgtape_core.find_market(market);
    v_payout := coalesce(payout, v_market.void_payout);
    perform pgtape_core.refuse_error(pgtape_core.payout_error(v_market, v_payout));
    select count(*) filter (where d.amount > 0), coalesce(sum(d.amount), 0)::numeric(30, 6)
    into people, paid
    from pgtape_core.payout_by_account(v_market.id, v_payout) d;
    select (coalesce(sum(e.amount) filter (where e.kind not in ('payout', 'subsidy_return')), 0) - paid)::numeric(30, 6)
    into returned
    from pgtape_core.ledger_entry e
    where e.account_id = v_market.account_id;
    select a.handle into funder from pgtape_core.account a where a.id = v_market.funder_id;
end;
$$;
-- +goose StatementEnd

-- market_preview tells what a market of so many outcomes and such liquidity would be like: what its
-- subsidy costs, and how far the first purchase would move a price.
-- Raises: TP011 bad numbers.
-- +goose StatementBegin
create or replace function pgtape.market_preview(
    outcomes integer,
    liquidity numeric,
    spend numeric default 10,
    out subsidy numeric,
    out price_before numeric,
    out price_after numeric,
    out shares numeric
)
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_zeros numeric[];
    v_at    record;
    v_move  record;
begin
    perform pgtape_core.refuse_error(coalesce(
        case when outcomes is null or outcomes not between 2 and 50 then 'a market has 2 to 50 outcomes' end,
        pgtape_core.market_error(
            'preview', array(select 'o' || i from generate_series(1, outcomes) i), liquidity, null
        ),
        case when spend is null then 'spend is missing' else pgtape_core.amount_error('spend', spend) end
    ));
    v_zeros := array_fill(0::numeric, array[outcomes]);
    subsidy := pgtape_core.lmsr_subsidy(liquidity, outcomes);
    v_at := pgtape_core.lmsr_at(v_zeros, liquidity);
    shares := pgtape_core.lmsr_shares(v_zeros, liquidity, 1, spend, v_at.cost);
    v_move := pgtape_core.lmsr_move(v_zeros, liquidity, 1, shares, v_at.cost);
    price_before := v_at.prices[1];
    price_after := v_move.prices[1];
end;
$$;
-- +goose StatementEnd
