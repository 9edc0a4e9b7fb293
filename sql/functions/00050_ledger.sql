-- +goose Up
-- post books one transaction: each account's amount, negative where credits leave it. Amounts of 0
-- are left out; an account that is named twice gets the sum.
-- Locks:  the accounts, which the caller has locked before where it matters: market first, then
--         accounts by ascending id.
-- Writes: ledger_entry, account.
-- +goose StatementBegin
create or replace function pgtape_core.post(
    kind text,
    accounts bigint[],
    amounts numeric[],
    at timestamptz,
    market_id bigint default null,
    seq bigint default null
)
    returns void
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_transaction bigint := nextval('pgtape_core.ledger_transaction');
begin
    with entry as (
        insert into pgtape_core.ledger_entry (transaction_id, account_id, amount, kind, market_id, seq, at)
        select v_transaction, e.account_id, sum(e.amount), kind, market_id, seq, at
        from unnest(accounts, amounts) as e (account_id, amount)
        group by e.account_id
        having sum(e.amount) <> 0
        returning account_id, amount
    )
    update pgtape_core.account a
    set balance = a.balance + e.amount
    from entry e
    where a.id = e.account_id;
end;
$$;
-- +goose StatementEnd

-- transfer books the usual transaction: amount credits leave one account and reach another.
-- +goose StatementBegin
create or replace function pgtape_core.transfer(
    kind text,
    from_account bigint,
    to_account bigint,
    amount numeric,
    at timestamptz,
    market_id bigint default null,
    seq bigint default null
)
    returns void
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_transaction bigint;
begin
    if amount = 0 then
        return;
    end if;
    v_transaction := nextval('pgtape_core.ledger_transaction');

    insert into pgtape_core.ledger_entry (transaction_id, account_id, amount, kind, market_id, seq, at)
    values (v_transaction, from_account, -amount, kind, market_id, seq, at),
           (v_transaction, to_account, amount, kind, market_id, seq, at);

    update pgtape_core.account a
    set balance = a.balance + case a.id when from_account then -amount else amount end
    where a.id in (from_account, to_account);
end;
$$;
-- +goose StatementEnd

-- lock_accounts locks accounts by ascending id, so that nobody waits in a circle.
-- +goose StatementBegin
create or replace function pgtape_core.lock_accounts(ids bigint[])
    returns void
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform from pgtape_core.account a where a.id = any (ids) order by a.id for no key update;
end;
$$;
-- +goose StatementEnd

-- refuse_change keeps history as it was written. Truncation is a change too. Names on the tape and
-- in the audit log may be written again by a transaction that has put that on record.
-- Raises: TP009 else always.
-- +goose StatementBegin
create or replace function pgtape_core.refuse_change()
    returns trigger
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'UPDATE' and tg_table_name in ('tape', 'audit_entry') and exists (
        select from pgtape_core.rewriting r where r.xact = pg_current_xact_id()
    ) then
        return null;
    end if;
    perform pgtape_core.refuse(
        'not_permitted', tg_table_name || ' is append-only: it is never changed, only continued'
    );
    return null;
end;
$$;
-- +goose StatementEnd

create or replace trigger append_only
    before update or delete or truncate on pgtape_core.ledger_entry
    for each statement execute function pgtape_core.refuse_change();

create or replace trigger append_only
    before update or delete or truncate on pgtape_core.trade
    for each statement execute function pgtape_core.refuse_change();

create or replace trigger append_only
    before update or delete or truncate on pgtape_core.tape
    for each statement execute function pgtape_core.refuse_change();
