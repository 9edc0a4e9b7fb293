-- +goose Up
-- market_state_of gives what a market is and where it stands. Security definer, since views call it.
-- +goose StatementBegin
create or replace function pgtape_core.market_state_of(m pgtape_core.market, b pgtape_core.book)
    returns pgtape_core.market_state
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select m.slug, m.question, m.description, m.category, b.status, m.outcomes, b.prices,
           b.outstanding, m.liquidity, m.subsidy, b.volume, b.trades,
           (select count(distinct p.account_id) from pgtape_core.position p where p.market_id = m.id),
           b.version, pgtape_core.cursor_of(b.version, b.head), m.created_at,
           (select a.handle from pgtape_core.account a where a.id = m.funder_id),
           m.closes_at, b.updated_at, m.void_payout, b.proposal, b.payout;
$$;
-- +goose StatementEnd

-- look_alikes words the first two outcomes that somebody might take for each other; null: there are none.
-- +goose StatementBegin
create or replace function pgtape_core.look_alikes(outcomes text[])
    returns text
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    with named as materialized (
        select o.name, o.i, pgtape_core.look_alike_key(o.name) as key
        from unnest(outcomes) with ordinality as o (name, i)
    )
    select format('%s (the %s.) and %s (the %s.)', a.name, a.i, b.name, b.i)
    from named a
    join named b on b.key = a.key and b.i > a.i
    order by a.i, b.i
    limit 1;
$$;
-- +goose StatementEnd

-- require_outcomes gives the names of outcomes as they are kept.
-- Raises: TP011 as require_text.
-- +goose StatementBegin
create or replace function pgtape_core.require_outcomes(outcomes text[])
    returns text[]
    language plpgsql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
begin
    if cardinality(outcomes) not between 2 and 50 or array_ndims(outcomes) <> 1 then
        return outcomes; -- market_error tells
    end if;
    return array(
        select pgtape_core.require_text('an outcome', o.name, 1, 60)
        from unnest(outcomes) with ordinality as o (name, i)
        order by o.i
    );
end;
$$;
-- +goose StatementEnd

-- market_error says what is wrong with the declaration of a market, or null if nothing is.
-- +goose StatementBegin
create or replace function pgtape_core.market_error(
    slug text,
    outcomes text[],
    liquidity numeric,
    closes_at timestamptz
)
    returns text
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select case
        when slug = 'house' then 'the slug house stands for the house''s own tape'
        when slug is null or octet_length(slug) > 64 or slug collate "C" !~ '^[a-z0-9][a-z0-9_-]{0,63}$' then
            'a slug has 1 to 64 lower-case letters, digits, - or _, and begins with a letter or digit'
        when outcomes is null or array_ndims(outcomes) is distinct from 1
            or cardinality(outcomes) not between 2 and 50 then 'a market has 2 to 50 outcomes'
        when exists (select from unnest(outcomes) o where o is null or pgtape_core.look_alike_key(o) = '*') then
            'an outcome has a name, and that is not * (one of each)'
        when pgtape_core.look_alikes(outcomes) is not null then
            'the outcomes of a market have names that nobody takes for each other: '
                || pgtape_core.look_alikes(outcomes)
        when liquidity is null then 'liquidity is missing'
        when liquidity > 10000000 and liquidity not in ('NaN', 'Infinity') then 'liquidity must be at most 10000000'
        when closes_at <= clock_timestamp() then 'closes_at must lie in the future'
        else coalesce(
            pgtape_core.time_error('closes_at', closes_at),
            pgtape_core.amount_error('liquidity', liquidity, 0.01)
        )
    end;
$$;
-- +goose StatementEnd

-- uniform_payout shares 1 out equally, the first outcomes getting what 6 decimals leave over.
-- +goose StatementBegin
create or replace function pgtape_core.uniform_payout(n integer)
    returns numeric[]
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select array_agg(
        trunc(1::numeric / n, 6) + case when i <= (1 - n * trunc(1::numeric / n, 6)) * 1000000 then 0.000001 else 0 end
        order by i
    )
    from generate_series(1, n) i;
$$;
-- +goose StatementEnd

-- create_market opens a market for trading, or, as a draft, makes it ready for open_market. The market
-- maker is an LMSR with b = liquidity, whose worst loss, ceil(b ln n), is escrowed from the account. The
-- house funds it if a caller that may act for others names it, or names nobody and has no account.
-- Locks:  the funding account.
-- Writes: account (the escrow), market, book, ledger_entry (kind 'subsidy'), tape (kind 'created').
-- Raises: TP003 the account cannot fund it, TP007 no such account, TP009 not for this caller,
--         TP010 slug taken, TP011 bad declaration, TP012 too many of one account in a day.
-- +goose StatementBegin
create or replace function pgtape.create_market(
    slug text,
    question text,
    outcomes text[] default '{yes,no}',
    liquidity numeric default 100,
    closes_at timestamptz default null,
    description text default '',
    category text default '',
    account text default null,
    void_payout numeric[] default null,
    draft boolean default false
)
    returns pgtape_core.market_state
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor  record;
    v_funder pgtape_core.account;
    v_market pgtape_core.market;
    v_book   pgtape_core.book;
    v_zeros  numeric[];
begin
    -- 1. Check by whom, and what is asked: texts cost the most, so they come last.
    v_actor := pgtape_core.acting_account(nullif(account, 'house'));
    perform pgtape_core.raise_refusal(v_actor.refusal);
    if account = 'house' then
        v_actor.account_id := null;
    end if;
    if v_actor.account_id is null and (
        pgtape_core.only_serves() or not (pgtape_core.is_server() or pgtape_core.is_operator())
    ) then
        perform pgtape_core.refuse(
            'not_permitted', 'only operators may let the house fund a market',
            'fund it from the account of your SQL login; an operator maps one: select pgtape.map_login(…)'
        );
    end if;
    select a.* into v_funder
    from pgtape_core.account a
    where a.id = coalesce(v_actor.account_id, pgtape_core.house());
    perform pgtape_core.require_market_rate(v_funder);

    slug := pgtape_core.spaced(left(slug, 100), false);
    question := pgtape_core.require_text('a question', question, 1, 500);
    description := pgtape_core.require_text('a description', description, 0, 20000, true);
    outcomes := pgtape_core.require_outcomes(outcomes);
    perform pgtape_core.refuse_error(pgtape_core.market_error(slug, outcomes, liquidity, closes_at));
    category := pgtape_core.require_category(category);
    void_payout := coalesce(void_payout, pgtape_core.uniform_payout(cardinality(outcomes)));
    v_market.outcomes := outcomes;
    perform pgtape_core.refuse_error('void_payout: ' || pgtape_core.payout_error(v_market, void_payout));
    v_market.void_payout := void_payout;
    v_zeros := array_fill(0::numeric, array[cardinality(outcomes)]);

    -- 2. Lock who funds it.
    select a.* into v_funder
    from pgtape_core.account a
    where a.id = v_funder.id
    for no key update;
    draft := pgtape_core.require_market_creation(v_funder, liquidity, draft);

    -- 3. Declare. The index decides between two who want the same slug at once.
    v_market.subsidy := pgtape_core.lmsr_subsidy(liquidity, cardinality(outcomes));
    if v_funder.kind <> 'house' and v_funder.balance < v_market.subsidy then
        perform pgtape_core.refuse(
            'insufficient_funds',
            format(
                'the market escrows %s credits, the account %s has %s', v_market.subsidy, v_funder.handle,
                v_funder.balance
            ),
            'choose a smaller liquidity',
            jsonb_build_object('subsidy', v_market.subsidy::text, 'balance', v_funder.balance::text)
        );
    end if;
    begin
        insert into pgtape_core.account as a (handle, kind)
        values ('market:' || slug, 'market')
        returning a.id, a.created_at into v_market.account_id, v_market.created_at;
    exception
        when unique_violation then
            perform pgtape_core.refuse(
                'already_exists', 'there is a market ' || slug || ' already', 'choose another slug',
                jsonb_build_object('market', slug)
            );
    end;
    insert into pgtape_core.market as m (
        slug, question, description, category, outcomes, liquidity, subsidy, closes_at, void_payout,
        account_id, funder_id, created_at
    )
    values (
        slug, question, description, category, outcomes, liquidity, v_market.subsidy, closes_at, v_market.void_payout,
        v_market.account_id, v_funder.id, v_market.created_at
    )
    returning m.* into v_market;
    perform pgtape_core.index_market(v_market);
    insert into pgtape_core.book as b (market_id, status, version, head, outstanding, prices, updated_at)
    values (
        v_market.id, case when draft then 'draft' else 'open' end, 0, decode(repeat('00', 32), 'hex'), v_zeros,
        (select l.prices from pgtape_core.lmsr_at(v_zeros, liquidity) l), v_market.created_at
    )
    returning b.* into v_book;

    -- 4. Fund and announce.
    perform pgtape_core.transfer(
        'subsidy', v_funder.id, v_market.account_id, v_market.subsidy, v_market.created_at, v_market.id, 1
    );
    v_book := pgtape_core.append_event(
        slug, v_book, v_market.created_at, 'created',
        format(
            '{"created":{"question":%s,"description":%s,"category":%s,"outcomes":%s,"liquidity":"%s",'
                '"subsidy":"%s","closes_at":%s,"account":%s,"void_payout":%s},"status":"%s","prices":%s}',
            to_json(question), to_json(description), to_json(category), to_json(outcomes),
            v_market.liquidity, v_market.subsidy,
            coalesce(to_json(pgtape_core.json_time(closes_at))::text, 'null'), to_json(v_funder.handle),
            pgtape_core.json_by_outcome(outcomes, v_market.void_payout), v_book.status,
            pgtape_core.json_by_outcome(outcomes, v_book.prices)
        )
    );
    return pgtape_core.market_state_of(v_market, v_book);
end;
$$;
-- +goose StatementEnd
