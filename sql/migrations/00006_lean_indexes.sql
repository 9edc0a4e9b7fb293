-- +goose Up
-- What a trade costs: one index less to write, one whose keys compare as bytes, and receipts of a
-- batch that need not become JSON.

-- Its rows are others now; the functions are applied after this.
drop function if exists pgtape.trade_batch(text, jsonb);

-- Entries are found by account; the few who ask for a transaction read the blocks that may hold it,
-- since transactions are numbered in the order they are written.
drop index pgtape_core.ledger_entry_account;
alter table pgtape_core.ledger_entry drop constraint ledger_entry_pkey;
alter table pgtape_core.ledger_entry add primary key (account_id, transaction_id);
create index ledger_entry_transaction on pgtape_core.ledger_entry using brin (transaction_id) with (autosummarize = on);

drop index pgtape_core.trade_idempotency;
create unique index trade_idempotency on pgtape_core.trade (account_id, idempotency_key collate "C")
    where idempotency_key is not null;

-- +goose Down
drop function if exists pgtape.trade_batch(text, jsonb);

drop index pgtape_core.trade_idempotency;
create unique index trade_idempotency on pgtape_core.trade (account_id, idempotency_key)
    where idempotency_key is not null;

drop index pgtape_core.ledger_entry_transaction;
alter table pgtape_core.ledger_entry drop constraint ledger_entry_pkey;
alter table pgtape_core.ledger_entry add primary key (transaction_id, account_id);
create index ledger_entry_account on pgtape_core.ledger_entry (account_id, transaction_id);
