-- +goose Up
-- Invariants of accounts and ledger. A check returns each row that breaks it: which invariant,
-- what it is about, what is wrong.

-- check_ledger: each transaction sums to zero, and its entries belong to accounts.
-- +goose StatementBegin
create or replace function pgtape_core.check_ledger()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select 'ledger entries sum to 0', 'transaction ' || e.transaction_id, 'they sum to ' || sum(e.amount)
    from pgtape_core.ledger_entry e
    group by e.transaction_id
    having sum(e.amount) <> 0
    union all
    select 'ledger entries belong to an account', 'transaction ' || e.transaction_id,
           'there is no account ' || e.account_id
    from pgtape_core.ledger_entry e
    where not exists (select from pgtape_core.account a where a.id = e.account_id);
$$;
-- +goose StatementEnd

-- check_balances: a balance is the sum of its entries; balances and positions are not negative.
-- +goose StatementBegin
create or replace function pgtape_core.check_balances()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select 'balances equal their entries', 'account ' || a.handle,
           format('balance %s, entries %s', a.balance, coalesce(e.amount, 0))
    from pgtape_core.account a
    left join (
        select l.account_id, sum(l.amount) as amount from pgtape_core.ledger_entry l group by l.account_id
    ) e on e.account_id = a.id
    where a.balance <> coalesce(e.amount, 0)
    union all
    select 'no negative balance', 'account ' || a.handle, 'balance ' || a.balance
    from pgtape_core.account a
    where a.balance < 0 and a.kind <> 'house'
    union all
    select 'no negative position', format('account %s, market %s, outcome %s', p.account_id, p.market_id, p.outcome),
           'shares ' || p.shares
    from pgtape_core.position p
    where p.shares < 0;
$$;
-- +goose StatementEnd

-- check_append_only: what keeps history as it was written is in place.
-- +goose StatementBegin
create or replace function pgtape_core.check_append_only()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select 'history is append-only', t.name, 'the trigger append_only is missing or switched off'
    from unnest('{ledger_entry,trade,tape}'::text[]) as t (name)
    where not exists (
        select
        from pg_catalog.pg_trigger g
        where g.tgrelid = ('pgtape_core.' || t.name)::regclass and g.tgname = 'append_only'
            and g.tgenabled in ('O', 'A')
    );
$$;
-- +goose StatementEnd

-- check_trade_entries: each trade moved its amount between the trader and the escrow, once, and
-- no entry of kind 'trade' is without its trade.
-- +goose StatementBegin
create or replace function pgtape_core.check_trade_entries()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    with booked as (
        select e.market_id, e.seq, e.account_id, sum(e.amount) as amount
        from pgtape_core.ledger_entry e
        where e.kind = 'trade'
        group by e.market_id, e.seq, e.account_id
    ), due as (
        select t.market_id, t.seq, t.account_id, case t.side when 'buy' then -t.amount else t.amount end as amount
        from pgtape_core.trade t
        where t.amount <> 0
        union all
        select t.market_id, t.seq, m.account_id, case t.side when 'buy' then t.amount else -t.amount end
        from pgtape_core.trade t
        join pgtape_core.market m on m.id = t.market_id
        where t.amount <> 0
    )
    select 'trades and ledger agree', format('market %s, seq %s, account %s', market_id, seq, account_id),
           format('booked %s, due %s', coalesce(b.amount, 0), coalesce(d.amount, 0))
    from booked b
    full join due d using (market_id, seq, account_id)
    where b.amount is distinct from d.amount;
$$;
-- +goose StatementEnd

-- check_idempotency: a key of an account stands for one trade.
-- +goose StatementBegin
create or replace function pgtape_core.check_idempotency()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select 'one result per idempotency key', format('account %s, key %s', t.account_id, t.idempotency_key),
           count(*) || ' trades'
    from pgtape_core.trade t
    where t.idempotency_key is not null
    group by t.account_id, t.idempotency_key
    having count(*) > 1;
$$;
-- +goose StatementEnd
