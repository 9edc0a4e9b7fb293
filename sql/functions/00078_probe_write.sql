-- +goose Up
-- probe_write finds out whether the database takes writes: it makes a table, fills some pages of it,
-- which takes room on the disk, and takes all of it back. A server asks it after a write was refused.
-- Locks:  none that anybody waits for.
-- Writes: nothing that stays.
-- Raises: what keeps the database from writing (25006, 53100, …).
-- +goose StatementBegin
create or replace function pgtape.probe_write()
    returns void
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    create table pgtape_core.write_probe (page text);
    alter table pgtape_core.write_probe alter column page set storage plain; -- not compressed: a page a row
    insert into pgtape_core.write_probe
    select repeat(i::text, 1900) from generate_series(1000, 1031) i;
    raise exception using errcode = 'TP000';
exception
    when sqlstate 'TP000' then null; -- what was made is gone again
end;
$$;
-- +goose StatementEnd
