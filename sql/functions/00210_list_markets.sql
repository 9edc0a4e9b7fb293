-- +goose Up
-- Pages of the list of markets. No page costs as much as there are markets: each is read in the
-- order of an index until it is full, or from the few markets that a filter leaves.

-- in_list says whether a market passes the filters of a list; an empty one, or no categories, lets all
-- pass. Of status, open is what trades, closed what waits to be resolved; the others are meant literally.
create or replace function pgtape_core.in_list(
    wanted_status text,
    wanted_categories text[],
    query text,
    status text,
    closes_at timestamptz,
    category text,
    text text
)
    returns boolean
    language sql
    stable
    return case wanted_status
            when '' then true
            when 'open' then status = 'open' and (closes_at is null or closes_at > now())
            when 'closed' then status in ('closed', 'proposed', 'disputed') or status = 'open' and closes_at <= now()
            else status = wanted_status
        end
        and (wanted_categories is null or category = any (wanted_categories))
        and (query = '' or position(query in text) > 0);

-- few_markets gives the markets that one of the filters leaves where those are at most a thousand, so
-- that a list is made of them alone; null: every filter leaves more, so a page is soon full.
-- +goose StatementBegin
create or replace function pgtape_core.few_markets(status text, categories text[], query text)
    returns bigint[]
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
    set plan_cache_mode = force_custom_plan
    set enable_seqscan = off
as $$
declare
    c_few  constant integer := 1000;
    c_past constant integer := 10000;
    v_found bigint[];
    v_past  bigint[];
begin
    if query <> '' then
        v_found := array(
            select s.market_id
            from pgtape_core.market_search s
            where s.terms @> case
                    when length(query) < 3 then array[query]
                    else array(select substr(query, i, 3) from generate_series(1, least(length(query) - 2, 60)) i)
                end
                and position(query in s.text) > 0
            limit c_few + 1
        );
        if cardinality(v_found) <= c_few then
            return v_found;
        end if;
    end if;
    if categories is not null then
        v_found := array(select m.id from pgtape_core.market m where m.category = any (categories) limit c_few + 1);
        if cardinality(v_found) <= c_few then
            return v_found;
        end if;
    end if;
    if status <> '' then
        v_found := array(
            select b.market_id
            from pgtape_core.book b
            where b.status = any (case few_markets.status
                when 'closed' then '{closed,proposed,disputed}'
                else array[few_markets.status]
            end)
            limit c_few + 1
        );
        if few_markets.status = 'closed' and cardinality(v_found) <= c_few then
            -- Past closing, and not said to be closed: looked for among so many, and if there are more, not at all.
            v_past := array(select m.id from pgtape_core.market m where m.closes_at <= now() limit c_past + 1);
            v_found := case when cardinality(v_past) <= c_past then v_found || array(
                select b.market_id from pgtape_core.book b where b.market_id = any (v_past) and b.status = 'open'
            ) end;
        end if;
        if cardinality(v_found) <= c_few then
            return v_found;
        end if;
    end if;
    return null;
end;
$$;
-- +goose StatementEnd

-- What the pages below are read from. Each gives so many markets behind a place of one order; few:
-- only of these. Their plans are made for the filters that are there, and never hash or merge: that
-- would read all markets.
create or replace view pgtape_core.listed as
select m.id, m.slug, b.status, m.closes_at, m.category, pgtape_core.search_text(m.question, m.slug, m.category) as text,
       m.created_at, b.updated_at, b.active_minute, b.volume, b.volume_class
from pgtape_core.market m
join pgtape_core.book b on b.market_id = m.id;

-- micros is a moment as a sort key.
create or replace function pgtape_core.micros(moment timestamptz)
    returns numeric
    language sql
    stable
    return trunc(extract(epoch from moment) * 1000000);

-- moment_of is micros backwards, up to the next second, and within what a timestamp can be.
create or replace function pgtape_core.moment_of(micros numeric)
    returns timestamptz
    language sql
    stable
    return to_timestamp(greatest(least(ceil(micros / 1000000), 200000000000), -200000000000)::double precision);

-- page_by_activity: the last event first.
-- +goose StatementBegin
create or replace function pgtape_core.page_by_activity(
    wanted_status text,
    wanted_categories text[],
    query text,
    after_key numeric,
    after_slug text,
    most integer,
    few bigint[]
)
    returns table (slug text, key numeric)
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
    set plan_cache_mode = force_custom_plan
    set enable_hashjoin = off
    set enable_mergejoin = off
as $$
begin
    return query
    select l.slug, pgtape_core.micros(l.updated_at)
    from pgtape_core.listed l
    where pgtape_core.in_list(wanted_status, wanted_categories, query, l.status, l.closes_at, l.category, l.text)
        and (few is null or l.id = any (few))
        and (after_key is null
            or l.active_minute <= pgtape_core.moment_of(after_key) at time zone 'UTC'
            and (pgtape_core.micros(l.updated_at), l.slug) < (after_key, after_slug))
    order by l.active_minute desc, l.updated_at desc, l.slug desc
    limit most;
end;
$$;
-- +goose StatementEnd

-- page_by_age: the newest first.
-- +goose StatementBegin
create or replace function pgtape_core.page_by_age(
    wanted_status text,
    wanted_categories text[],
    query text,
    after_key numeric,
    after_slug text,
    most integer,
    few bigint[]
)
    returns table (slug text, key numeric)
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
    set plan_cache_mode = force_custom_plan
    set enable_hashjoin = off
    set enable_mergejoin = off
as $$
begin
    return query
    select l.slug, pgtape_core.micros(l.created_at)
    from pgtape_core.listed l
    where pgtape_core.in_list(wanted_status, wanted_categories, query, l.status, l.closes_at, l.category, l.text)
        and (few is null or l.id = any (few))
        and (after_key is null
            or l.created_at <= pgtape_core.moment_of(after_key)
            and (pgtape_core.micros(l.created_at), l.slug) < (after_key, after_slug))
    order by l.created_at desc, l.slug desc
    limit most;
end;
$$;
-- +goose StatementEnd

-- page_by_volume: the most traded first, of those that were traded.
-- +goose StatementBegin
create or replace function pgtape_core.page_by_volume(
    wanted_status text,
    wanted_categories text[],
    query text,
    after_key numeric,
    after_slug text,
    most integer,
    few bigint[]
)
    returns table (slug text, key numeric)
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
    set plan_cache_mode = force_custom_plan
    set enable_hashjoin = off
    set enable_mergejoin = off
as $$
begin
    return query
    select l.slug, trunc(l.volume * 1000000)
    from pgtape_core.listed l
    where pgtape_core.in_list(wanted_status, wanted_categories, query, l.status, l.closes_at, l.category, l.text)
        and (few is null or l.id = any (few))
        and l.volume_class > 0
        and (after_key is null
            or l.volume_class <= 2 + floor(50 * ln(1 + greatest(after_key, 0)::double precision / 1000000))
            and (trunc(l.volume * 1000000), l.slug) < (after_key, after_slug))
    order by l.volume_class desc, l.volume desc, l.slug desc
    limit most;
end;
$$;
-- +goose StatementEnd

-- page_by_close: of those that trade, what closes next first.
-- +goose StatementBegin
create or replace function pgtape_core.page_by_close(
    wanted_status text,
    wanted_categories text[],
    query text,
    after_key numeric,
    after_slug text,
    most integer,
    few bigint[]
)
    returns table (slug text, key numeric)
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
    set plan_cache_mode = force_custom_plan
    set enable_hashjoin = off
    set enable_mergejoin = off
as $$
begin
    return query
    select l.slug, greatest(-pgtape_core.micros(l.closes_at), -1e19)
    from pgtape_core.listed l
    where pgtape_core.in_list(wanted_status, wanted_categories, query, l.status, l.closes_at, l.category, l.text)
        and (few is null or l.id = any (few))
        and l.status = 'open'
        and l.closes_at > now()
        and (after_key is null
            or l.closes_at >= pgtape_core.moment_of(-after_key - 1000000)
            and (greatest(-pgtape_core.micros(l.closes_at), -1e19), l.slug) < (after_key, after_slug))
    order by l.closes_at, l.slug desc
    limit most;
end;
$$;
-- +goose StatementEnd

-- page_by_rank: in the order of a ranking, of those that are in it.
-- +goose StatementBegin
create or replace function pgtape_core.page_by_rank(
    wanted_status text,
    wanted_categories text[],
    query text,
    after_key numeric,
    after_slug text,
    most integer,
    ranking text[],
    ranks numeric[]
)
    returns table (slug text, key numeric)
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
    set plan_cache_mode = force_custom_plan
    set enable_hashjoin = off
    set enable_mergejoin = off
as $$
begin
    return query
    select l.slug, r.rank
    from unnest(ranking, ranks) with ordinality as r (slug, rank, place)
    join pgtape_core.listed l on l.slug = r.slug
    where pgtape_core.in_list(wanted_status, wanted_categories, query, l.status, l.closes_at, l.category, l.text)
        and (after_key is null or (r.rank, r.slug) < (after_key, after_slug))
    order by r.place
    limit most;
end;
$$;
-- +goose StatementEnd

-- page_of_rest: what has no place of its own in an order, by its slug.
-- +goose StatementBegin
create or replace function pgtape_core.page_of_rest(
    wanted_status text,
    wanted_categories text[],
    query text,
    sort text,
    after_key numeric,
    after_slug text,
    most integer,
    few bigint[],
    ranking text[]
)
    returns table (slug text, key numeric)
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
    set plan_cache_mode = force_custom_plan
    set enable_hashjoin = off
    set enable_mergejoin = off
as $$
declare
    c_key constant numeric := case sort when 'closing' then -1e20 else 0 end; -- below all that have a place
begin
    return query
    select l.slug, c_key
    from pgtape_core.listed l
    where pgtape_core.in_list(wanted_status, wanted_categories, query, l.status, l.closes_at, l.category, l.text)
        and (few is null or l.id = any (few))
        and case sort
            when 'volume' then l.volume_class = 0
            when 'closing' then (l.status = 'open' and l.closes_at > now()) is not true
            else l.slug <> all (ranking)
        end
        and (after_key is null or after_key > c_key or l.slug < after_slug)
    order by l.slug desc
    limit most;
end;
$$;
-- +goose StatementEnd

-- market_page gives the slugs of a page of the list, in order, each with its sort key. sort: active
-- (last event first), new, volume, hot (first those of ranking, in its order) or closing (what closes
-- next first). after_key and after_slug: where the page before ended.
-- Raises: TP011 an unknown sort.
-- +goose StatementBegin
create or replace function pgtape.market_page(
    status text,
    category text,
    query text,
    sort text,
    after_key numeric,
    after_slug text,
    most integer,
    ranking text[] default '{}',
    ranks numeric[] default '{}'
)
    returns table (slug text, key numeric)
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
    rows 50
as $$
declare
    v_few        bigint[];
    v_rest       integer;
    v_categories text[] := pgtape_core.category_spellings(category);
begin
    query := pgtape_core.look_alike_key(left(query, 200));
    v_few := pgtape_core.few_markets(status, v_categories, query);
    case sort
        when 'active' then
            return query select * from pgtape_core.page_by_activity(
                status, v_categories, query, after_key, after_slug, most, v_few
            );
        when 'new' then
            return query select * from pgtape_core.page_by_age(
                status, v_categories, query, after_key, after_slug, most, v_few
            );
        when 'volume', 'closing', 'hot' then
            if sort = 'volume' then
                return query select * from pgtape_core.page_by_volume(
                    status, v_categories, query, after_key, after_slug, most, v_few
                );
            elsif sort = 'closing' then
                return query select * from pgtape_core.page_by_close(
                    status, v_categories, query, after_key, after_slug, most, v_few
                );
            else
                return query select * from pgtape_core.page_by_rank(
                    status, v_categories, query, after_key, after_slug, most, ranking, ranks
                );
            end if;
            get diagnostics v_rest = row_count;
            return query
            select *
            from pgtape_core.page_of_rest(
                status, v_categories, query, sort, after_key, after_slug, most - v_rest, v_few, ranking
            );
        else
            perform pgtape_core.refuse('invalid_request', 'sort must be active, new, volume, hot or closing');
    end case;
end;
$$;
-- +goose StatementEnd
