-- +goose Up
-- Invariants of the tape: no gap, no rewriting, and the state follows from it.

-- kept_event_hash is event_hash of an event that is kept already, or null where its text is not UTF-8: a
-- database that was of another encoding once, or one that is damaged, may hold such.
-- +goose StatementBegin
create or replace function pgtape_core.kept_event_hash(event pgtape_core.tape)
    returns bytea
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
begin
    return pgtape_core.event_hash(event.prev_hash, event.market, event.seq, event.at, event.kind, event.body);
exception
    when character_not_in_repertoire then
        return null;
end;
$$;
-- +goose StatementEnd

-- check_tape: each tape is a chain without a gap, whose last event is that of the state.
-- +goose StatementBegin
create or replace function pgtape_core.check_tape()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    with chain as (
        select t.*,
               lag(t.seq, 1, 0::bigint) over w as seq_before,
               lag(t.hash, 1, decode(repeat('00', 32), 'hex')) over w as hash_before
        from pgtape_core.tape t
        window w as (partition by t.market order by t.seq)
    )
    select 'seq is gapless from 1', format('market %s, seq %s', c.market, c.seq), 'it follows seq ' || c.seq_before
    from chain c
    where c.seq <> c.seq_before + 1
    union all
    select 'every hash follows from the one before', format('market %s, seq %s', c.market, c.seq),
           case
               when c.prev_hash <> c.hash_before then 'its prev_hash is not the hash before'
               when h.hash is null then 'it holds bytes that are not UTF-8'
               else 'its hash is not that of its fields'
           end
    from chain c
    cross join lateral (
        select pgtape_core.kept_event_hash(
            (c.market, c.seq, c.at, c.kind, c.body, c.prev_hash, c.hash)::pgtape_core.tape
        )
    ) as h (hash)
    where c.prev_hash <> c.hash_before or c.hash is distinct from h.hash
    union all
    select 'the version is the seq of the last event', 'market ' || b.slug,
           format(
               'version %s (%s), last event %s', b.version, pgtape_core.cursor_of(b.version, b.head),
               pgtape_core.cursor_of(l.seq, l.hash)
           )
    from (
        select x.slug, y.version, y.head from pgtape_core.market x join pgtape_core.book y on y.market_id = x.id
        union all
        select 'house', h.version, h.head from pgtape_core.house_tape h where h.version > 0
    ) b
    left join lateral (
        select t.seq, t.hash from pgtape_core.tape t where t.market = b.slug order by t.seq desc limit 1
    ) l on true
    where l.seq is distinct from b.version or l.hash is distinct from b.head
    union all
    select 'events belong to a market', 'market ' || t.market, min(t.seq) || ' and on'
    from pgtape_core.tape t
    where t.market <> 'house' and not exists (select from pgtape_core.market m where m.slug = t.market)
    group by t.market;
$$;
-- +goose StatementEnd

-- check_tape_trades: the trades are the trade events, one for one, and say the same.
-- +goose StatementBegin
create or replace function pgtape_core.check_tape_trades()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    with told as (
        select e.market, e.seq, e.at, e.body::json -> 'trade' as trade from pgtape_core.tape e where e.kind = 'trade'
    ), booked as (
        select m.slug as market, t.seq, t.at, t.id, a.handle, coalesce(m.outcomes[t.outcome], '*') as outcome, t.side,
               t.shares, t.amount
        from pgtape_core.trade t
        join pgtape_core.market m on m.id = t.market_id
        left join pgtape_core.account a on a.id = t.account_id
    )
    select 'the tape tells every trade', format('market %s, seq %s', market, seq),
           case when b.id is null then 'an event without a trade'
               when e.trade is null then 'a trade without an event'
               else 'event and trade differ'
           end
    from told e
    full join booked b using (market, seq)
    where (e.trade ->> 'id', e.trade ->> 'account', e.trade ->> 'outcome', e.trade ->> 'side', e.trade ->> 'shares',
           e.trade ->> 'amount', e.at)
        is distinct from (b.id::text, b.handle, b.outcome, b.side, b.shares::text, b.amount::text, b.at);
$$;
-- +goose StatementEnd

-- check_trading_hours: no trade while the market was not open, by the events before it, or at or
-- after closes_at.
-- +goose StatementBegin
create or replace function pgtape_core.check_trading_hours()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    with told as (
        select e.market, e.seq, e.kind, e.at,
               count(*) filter (where e.kind <> 'trade') over (partition by e.market order by e.seq) as era
        from pgtape_core.tape e
        where e.kind not in ('commented', 'comment_removed')
    ), eras as (
        select t.*, first_value(t.kind) over (partition by t.market, t.era order by t.seq) as began_with from told t
    )
    select 'no trade after close, halt or resolution', format('market %s, seq %s', e.market, e.seq),
           'the market was ' || e.began_with
    from eras e
    where e.kind = 'trade' and e.began_with not in ('created', 'opened')
    union all
    select 'no trade after close, halt or resolution', format('market %s, seq %s', m.slug, t.seq),
           format('traded at %s, closed at %s', t.at, m.closes_at)
    from pgtape_core.trade t
    join pgtape_core.market m on m.id = t.market_id
    where t.at >= m.closes_at;
$$;
-- +goose StatementEnd

-- check_charges trades everything again from empty books: each amount and price must come out as
-- recorded, and the books as they stand.
-- +goose StatementBegin
create or replace function pgtape_core.check_charges()
    returns table (invariant text, subject text, problem text)
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_market  record;
    v_trade   record;
    v_charge  record;
    v_q       numeric[];
    v_volume  numeric;
    v_trades  bigint;
begin
    for v_market in
        select m.id, m.slug, m.liquidity, b.outstanding, b.volume, b.trades
        from pgtape_core.market m
        join pgtape_core.book b on b.market_id = m.id
    loop
        v_q := array_fill(0::numeric, array[cardinality(v_market.outstanding)]);
        v_volume := 0;
        v_trades := 0;
        for v_trade in
            select t.* from pgtape_core.trade t where t.market_id = v_market.id order by t.seq
        loop
            if v_trade.outcome is null then
                -- Complete sets cost exactly 1 each and move no price.
                select v_trade.shares as amount, 1::numeric as before, 1::numeric as after,
                       array(select q + case v_trade.side when 'buy' then v_trade.shares else -v_trade.shares end
                             from unnest(v_q) with ordinality as x (q, i) order by x.i) as q_after
                into v_charge;
            else
                select c.amount, c.prices_before[v_trade.outcome] as before, c.prices_after[v_trade.outcome] as after,
                       c.q_after
                into v_charge
                from pgtape_core.lmsr_charge(
                    v_q, v_market.liquidity, v_trade.outcome,
                    case v_trade.side when 'buy' then v_trade.shares else -v_trade.shares end
                ) c;
            end if;
            if (v_trade.amount, v_trade.price_before, v_trade.price_after)
                <> (v_charge.amount, v_charge.before, v_charge.after) then
                invariant := 'every charge follows from the trades before';
                subject := format('market %s, seq %s', v_market.slug, v_trade.seq);
                problem := format('amount %s, by the rule %s', v_trade.amount, v_charge.amount);
                return next;
            end if;
            v_q := v_charge.q_after;
            if v_trade.outcome is not null then
                v_volume := v_volume + v_trade.amount;
                v_trades := v_trades + 1;
            end if;
        end loop;
        if (v_q, v_volume, v_trades)
            is distinct from (v_market.outstanding::numeric[], v_market.volume::numeric, v_market.trades) then
            invariant := 'replaying the trades gives the book';
            subject := 'market ' || v_market.slug;
            problem := format(
                'outstanding %s volume %s trades %s, replayed %s %s %s',
                v_market.outstanding, v_market.volume, v_market.trades, v_q, v_volume, v_trades
            );
            return next;
        end if;
    end loop;
end;
$$;
-- +goose StatementEnd

-- verify proves the book, in one snapshot: a row for each broken invariant; none when it is sound.
-- Without JIT: compiling queries as wide as these takes longer than most books do.
-- +goose StatementBegin
create or replace function pgtape.verify()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
    set jit = off
as $$
    select * from pgtape_core.check_ledger()
    union all select * from pgtape_core.check_balances()
    union all select * from pgtape_core.check_append_only()
    union all select * from pgtape_core.check_trade_entries()
    union all select * from pgtape_core.check_idempotency()
    union all select * from pgtape_core.check_positions()
    union all select * from pgtape_core.check_prices()
    union all select * from pgtape_core.check_escrow()
    union all select * from pgtape_core.check_payouts()
    union all select * from pgtape_core.check_bounds()
    union all select * from pgtape_core.check_tape()
    union all select * from pgtape_core.check_rewritings()
    union all select * from pgtape_core.check_tape_trades()
    union all select * from pgtape_core.check_trading_hours()
    union all select * from pgtape_core.check_charges()
    union all select * from pgtape_core.check_comments()
    union all select * from pgtape_core.check_values()
    union all select * from pgtape_core.check_sequences()
    union all select * from pgtape_core.check_names()
    union all select * from pgtape_core.check_search();
$$;
-- +goose StatementEnd
