-- +goose Up
-- device_key gives the key by which a server signs what tells a browser that has signed in before. It is
-- made when it is first asked for, and opens nothing.
-- Writes: setting, once.
-- +goose StatementBegin
create or replace function pgtape.device_key()
    returns bytea
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from pgtape_core.setting s where s.name = 'device_key') then
        insert into pgtape_core.setting (name, value)
        values ('device_key', encode(sha256((gen_random_uuid()::text || gen_random_uuid()::text)::bytea), 'hex'))
        on conflict do nothing;
    end if;
    return (select decode(s.value, 'hex') from pgtape_core.setting s where s.name = 'device_key');
end;
$$;
-- +goose StatementEnd
