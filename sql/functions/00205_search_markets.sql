-- +goose Up
-- Finding markets by a part of their words.

-- search_text is what a market is searched by: what looks the same is found alike.
create or replace function pgtape_core.search_text(question text, slug text, category text)
    returns text
    language sql
    immutable
    return pgtape_core.look_alike_key(question || ' ' || slug || ' ' || category);

-- search_terms gives what a market of this text is found by: all its parts of one to three characters.
-- +goose StatementBegin
create or replace function pgtape_core.search_terms(text text)
    returns text[]
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select array(
        select distinct substr(text, i, n)
        from generate_series(1, length(text)) i
        cross join generate_series(1, 3) n
        where i + n - 1 <= length(text)
    );
$$;
-- +goose StatementEnd

-- index_market makes a market be found.
-- Writes: market_search.
-- +goose StatementBegin
create or replace function pgtape_core.index_market(m pgtape_core.market)
    returns void
    language sql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
    insert into pgtape_core.market_search (market_id, text, terms)
    select m.id, s.text, pgtape_core.search_terms(s.text)
    from (select pgtape_core.search_text(m.question, m.slug, m.category) as text) s;
$$;
-- +goose StatementEnd

-- check_search: each market is found by its words.
-- +goose StatementBegin
create or replace function pgtape_core.check_search()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select 'every market is found by its words', 'market ' || m.slug,
           case when s.market_id is null then 'no search finds it' else 'it is found by other words' end
    from pgtape_core.market m
    left join pgtape_core.market_search s on s.market_id = m.id
    where s.text is distinct from pgtape_core.search_text(m.question, m.slug, m.category);
$$;
-- +goose StatementEnd

-- Those that functions of before there was this table have made since, and those that an earlier version
-- has indexed by other words.
-- +goose StatementBegin
do $$
begin
    perform pgtape_core.index_market(m)
    from pgtape_core.market m
    where not exists (select from pgtape_core.market_search s where s.market_id = m.id);
    update pgtape_core.market_search s
    set text = n.text,
        terms = pgtape_core.search_terms(n.text)
    from (select m.id, pgtape_core.search_text(m.question, m.slug, m.category) as text from pgtape_core.market m) n
    where s.market_id = n.id and s.text <> n.text;
end;
$$;
-- +goose StatementEnd
