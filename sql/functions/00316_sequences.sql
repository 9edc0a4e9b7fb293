-- +goose Up
-- Sequences. A logical copy brings rows and leaves the sequences behind: every insert would then take a
-- number that is there already.

-- lagging_sequences lists the sequences whose next number their table has used already. Its tables are
-- those of the catalog, so that none is forgotten: the one place with statements made of names.
-- +goose StatementBegin
create or replace function pgtape_core.lagging_sequences()
    returns table (sequence regclass, last_value bigint, used bigint)
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_column record;
begin
    for v_column in
        select pg_get_serial_sequence(c.of_table, c.name)::regclass as sequence, c.of_table::regclass as of_table,
               c.name
        from (
            select format('%I.%I', i.table_schema, i.table_name) as of_table, i.column_name::text as name
            from information_schema.columns i
            where i.table_schema = 'pgtape_core' and i.is_identity = 'YES'
        ) c
        union all
        select 'pgtape_core.ledger_transaction'::regclass, 'pgtape_core.ledger_entry'::regclass, 'transaction_id'
    loop
        sequence := v_column.sequence;
        last_value := coalesce(pg_sequence_last_value(v_column.sequence), 0);
        execute format('select max(%I) from %s', v_column.name, v_column.of_table) into used;
        if used > last_value then
            return next;
        end if;
    end loop;
end;
$$;
-- +goose StatementEnd

-- check_sequences: a number that is given out next is none that a row has.
-- +goose StatementBegin
create or replace function pgtape_core.check_sequences()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select 'no number is given out twice', 'sequence ' || l.sequence,
           format('it has given out %s, its table has %s: pgtape migrate up mends it', l.last_value, l.used)
    from pgtape_core.lagging_sequences() l;
$$;
-- +goose StatementEnd

-- advance_sequences lets lagging sequences go on behind what their tables have, and names them.
-- +goose StatementBegin
create or replace function pgtape_core.advance_sequences()
    returns setof text
    language sql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
    select format('sequence %s (%s)', l.sequence, setval(l.sequence, l.used)) from pgtape_core.lagging_sequences() l;
$$;
-- +goose StatementEnd
