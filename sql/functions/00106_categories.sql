-- +goose Up
-- Categories are named by whoever makes a market first in one. Its spelling is everybody's who types
-- what looks the same; that of markets that earlier versions took stays theirs.

-- require_category gives a category as it is kept: '' is none.
-- Writes: category.
-- Raises: TP011 as require_text.
-- +goose StatementBegin
create or replace function pgtape_core.require_category(category text)
    returns text
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_key  text;
    v_name text;
begin
    category := pgtape_core.require_text('a category', category, 0, 60);
    if category = '' then
        return category;
    end if;
    v_key := pgtape_core.look_alike_key(category);
    insert into pgtape_core.category (key, name) values (v_key, category) on conflict do nothing;
    select c.name into v_name from pgtape_core.category c where c.key = v_key and c.first;
    return v_name;
end;
$$;
-- +goose StatementEnd

-- category_spellings gives all spellings of a category, as typed, that markets have; null for ''.
-- +goose StatementBegin
create or replace function pgtape_core.category_spellings(category text)
    returns text[]
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select array(
        select c.name
        from pgtape_core.category c
        where c.key = (select pgtape_core.look_alike_key(left(category_spellings.category, 200)))
    ) || category
    where category <> '';
$$;
-- +goose StatementEnd

-- Those of markets that were made before there was this table.
-- +goose StatementBegin
do $$
begin
    insert into pgtape_core.category (key, name, first)
    select x.key, x.category, x.place = 1
    from (
        select pgtape_core.look_alike_key(m.category) as key, m.category,
               row_number() over (partition by pgtape_core.look_alike_key(m.category) order by min(m.id)) as place
        from pgtape_core.market m
        where m.category <> ''
        group by m.category
    ) x
    on conflict do nothing;

    -- Those that an earlier version told apart otherwise: of each key one is the first.
    update pgtape_core.category c
    set key = pgtape_core.look_alike_key(c.name),
        first = false
    where c.key <> pgtape_core.look_alike_key(c.name);
    update pgtape_core.category c
    set first = true
    from (
        select x.name, bool_or(x.first) over (partition by x.key) as has_first,
               row_number() over (
                   partition by x.key
                   order by (select min(m.id) from pgtape_core.market m where m.category = x.name), x.name
               ) as place
        from pgtape_core.category x
    ) x
    where x.name = c.name and x.place = 1 and not x.has_first;
end;
$$;
-- +goose StatementEnd
