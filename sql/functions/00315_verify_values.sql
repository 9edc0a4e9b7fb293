-- +goose Up
-- What earlier versions took and this one refuses. It does no harm where it stands, and stays; these
-- tell of it, for whoever wants to mend it.

-- check_values: every date can be said in JSON, Go and JavaScript too; no handle stands for something
-- else.
-- +goose StatementBegin
create or replace function pgtape_core.check_values()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select 'every value can be shown', v.subject, pgtape_core.time_error(v.name, v.at) || ': it is ' || v.at
    from (
        select 'market ' || m.slug, 'closes_at', m.closes_at from pgtape_core.market m
        union all
        select format('market %s, seq %s', t.market_id, t.seq), 'deadline', t.deadline from pgtape_core.trade t
        union all
        select 'key ' || k.id, 'expires_at', k.expires_at from pgtape_core.api_key k
        union all
        select 'session ' || s.id, 'expires_at', s.expires_at from pgtape_core.session s
    ) as v (subject, name, at)
    where pgtape_core.time_error(v.name, v.at) is not null
    union all
    select 'every value can be shown', 'account ' || a.handle,
           'the handle is reserved, as for accounts whose owner has left'
    from pgtape_core.account a
    where a.kind = 'person' and a.gone_at is null and pgtape_core.handle_is_reserved(a.handle);
$$;
-- +goose StatementEnd

-- check_names: no name looks like another, or is one that would be refused today.
-- +goose StatementBegin
create or replace function pgtape_core.check_names()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select 'every value can be shown', 'account ' || a.handle,
           'its handle differs from that of an older account in case only'
    from pgtape_core.account a
    where a.look_alike <> 0
    union all
    select 'every value can be shown', 'market ' || m.slug,
           'two of its outcomes look the same: ' || pgtape_core.excerpt(l.names)
    from pgtape_core.market m
    cross join lateral pgtape_core.look_alikes(m.outcomes) as l (names)
    where l.names is not null
    union all
    select 'every value can be shown', format('category "%s"', pgtape_core.excerpt(c.name)),
           format('it looks like "%s"', pgtape_core.excerpt(o.name))
    from pgtape_core.category c
    join pgtape_core.category o on o.key = c.key and o.first
    where not c.first
    union all
    select 'every value can be shown', x.subject, e.error
    from (
        select 'market ' || m.slug, 'its question', m.question, 1, 500, false from pgtape_core.market m
        union all select 'market ' || m.slug, 'its description', m.description, 0, 20000, true from pgtape_core.market m
        union all select 'market ' || m.slug, 'its category', m.category, 0, 60, false from pgtape_core.market m
        union all select 'market ' || m.slug, 'an outcome', o, 1, 60, false
        from pgtape_core.market m cross join unnest(m.outcomes) o
        union all select 'comment ' || c.id, 'it', c.body, 1, 2000, true from pgtape_core.comment c
        union all select 'key ' || k.id, 'its name', k.name, 1, 60, false from pgtape_core.api_key k
    ) as x (subject, name, value, shortest, longest, lines)
    cross join lateral pgtape_core.spaced(x.value, x.lines) as s (value)
    cross join lateral (
        select coalesce(
            pgtape_core.text_error(x.name, s.value, x.shortest, x.longest, x.lines),
            case when normalize(s.value, nfc) <> x.value then x.name
                || ' has other spaces or another form than is kept today' end
        )
    ) as e (error)
    where x.value collate "C" !~ '^[!-~]+( [!-~]+)*$' and x.value <> '' and e.error is not null;
$$;
-- +goose StatementEnd
