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
    select 'every value can be shown', 'account ' || a.handle, 'the handle is reserved, as for accounts whose owner has left'
    from pgtape_core.account a
    where a.kind = 'person' and a.gone_at is null and pgtape_core.handle_is_reserved(a.handle);
$$;
-- +goose StatementEnd
