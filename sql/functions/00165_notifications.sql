-- +goose Up
-- notify tells accounts of an event, each once.
-- Writes: notification.
-- +goose StatementBegin
create or replace function pgtape_core.notify(
    kind text,
    market bigint,
    seq bigint,
    accounts bigint[],
    details jsonb[],
    at timestamptz
)
    returns void
    language sql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
    insert into pgtape_core.notification (account_id, kind, market_id, seq, detail, created_at)
    select n.account_id, notify.kind, notify.market, notify.seq, n.detail, notify.at
    from unnest(accounts, details) as n (account_id, detail)
    join pgtape_core.account a on a.id = n.account_id and a.kind = 'person'
    on conflict do nothing;
$$;
-- +goose StatementEnd

-- notify_owner tells an account what was done to what lets its owner in.
-- Writes: notification.
-- +goose StatementBegin
create or replace function pgtape_core.notify_owner(account_id bigint, kind text, detail jsonb default '{}')
    returns void
    language sql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
    insert into pgtape_core.notification (account_id, kind, seq, detail, created_at)
    values (notify_owner.account_id, notify_owner.kind, 0, notify_owner.detail, clock_timestamp());
$$;
-- +goose StatementEnd

-- notify_payout tells all who hold, or held, shares of a market what they were paid by the event
-- of this seq. act: resolved, void or corrected.
-- +goose StatementBegin
create or replace function pgtape_core.notify_payout(
    m pgtape_core.market,
    act text,
    seq bigint,
    payout numeric[],
    accounts bigint[],
    amounts numeric[],
    at timestamptz
)
    returns void
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_holders bigint[];
    v_details jsonb[];
begin
    select array_agg(h.account_id),
           array_agg(jsonb_build_object(
               'act', act, 'payout', pgtape_core.json_by_outcome(m.outcomes, payout::numeric(7, 6)[])::json,
               'paid', coalesce(p.amount, 0)::numeric(30, 6)::text
           ))
    into v_holders, v_details
    from (select distinct x.account_id from pgtape_core.position x where x.market_id = m.id) h
    left join (
        select u.account_id, sum(u.amount) as amount from unnest(accounts, amounts) u (account_id, amount)
        group by u.account_id
    ) p using (account_id);
    perform pgtape_core.notify('resolved', m.id, seq, v_holders, v_details, at);
end;
$$;
-- +goose StatementEnd

-- notify_proposal tells those who may dispute it of a proposed payout.
-- +goose StatementBegin
create or replace function pgtape_core.notify_proposal(m pgtape_core.market, seq bigint, payout numeric[])
    returns void
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_holders bigint[] := array(
        select distinct p.account_id from pgtape_core.position p where p.market_id = m.id and p.shares > 0
    );
begin
    perform pgtape_core.notify(
        'proposed', m.id, seq, v_holders,
        array_fill(
            jsonb_build_object('payout', pgtape_core.json_by_outcome(m.outcomes, payout::numeric(7, 6)[])::json),
            array[cardinality(v_holders)]
        ),
        clock_timestamp()
    );
end;
$$;
-- +goose StatementEnd

-- hears tells whether an account is told of one more comment of an author: not if it has ten of his unread
-- from one day. Whoever writes on and on fills nobody's list; the comments are where they were written.
-- +goose StatementBegin
create or replace function pgtape_core.hears(account_id bigint, author text)
    returns boolean
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select count(*) < 10
    from (
        select
        from pgtape_core.notification n
        where n.account_id = hears.account_id and n.read_at is null and n.kind in ('mention', 'comment')
            and n.detail ->> 'account' = hears.author and n.created_at > clock_timestamp() - interval '1 day'
        limit 10
    ) x;
$$;
-- +goose StatementEnd

-- notify_talk tells those whom a comment names (@handle), at most 10, and who made the market: each
-- once, nobody of his own words, and nobody of one who has said too much to him.
-- +goose StatementBegin
create or replace function pgtape_core.notify_talk(m pgtape_core.market, c pgtape_core.comment, author text)
    returns void
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_detail jsonb := jsonb_build_object('comment', c.id, 'account', author);
    v_named  bigint[];
begin
    select array_agg(a.id) into v_named
    from pgtape_core.account a
    where a.kind = 'person' and a.id <> c.account_id and lower(a.handle collate "C") in (
        select pgtape_core.identifier(rtrim(x.name[1], '.-'))
        from regexp_matches(
            c.body collate "C", '(?:^|[^A-Za-z0-9_.@/-])@([A-Za-z0-9][A-Za-z0-9_.-]{0,31})', 'g'
        ) with ordinality x (name, place)
        order by x.place
        limit 10
    );
    v_named := array(select x from unnest(v_named) x where pgtape_core.hears(x, author));
    perform pgtape_core.notify(
        'mention', m.id, c.seq, v_named, array_fill(v_detail, array[cardinality(v_named)]), c.at
    );
    if m.funder_id <> c.account_id and m.funder_id <> all (v_named) and pgtape_core.hears(m.funder_id, author) then
        perform pgtape_core.notify('comment', m.id, c.seq, array[m.funder_id], array[v_detail], c.at);
    end if;
end;
$$;
-- +goose StatementEnd

-- derive_notifications writes down what no event writes for an account: how often others have traded
-- the markets that it made, counted from what it has read, and which markets in which it holds
-- shares close within a day. A trade pays nothing for either. What it counts is bounded; the rest is
-- counted when it looks again.
-- Writes: notification, where something has changed.
-- +goose StatementBegin
create or replace function pgtape_core.derive_notifications(account_id bigint)
    returns void
    language sql
    volatile
    set search_path = pg_catalog, pg_temp
    set enable_seqscan = off
as $$
    insert into pgtape_core.notification as n (account_id, kind, market_id, seq, detail, created_at)
    select derive_notifications.account_id, 'traded', m.id, coalesce(l.base, 0),
           jsonb_build_object('trades', coalesce(l.trades, 0) + t.trades, 'up_to', t.up_to), t.at
    from (
        -- As a range and not as =, the newest first is the order of one index alone.
        select x.id
        from pgtape_core.market x
        where (x.funder_id, x.created_at) >= (derive_notifications.account_id, '-infinity')
            and (x.funder_id, x.created_at) <= (derive_notifications.account_id, 'infinity')
        order by x.funder_id desc, x.created_at desc
        limit 1000
    ) m
    cross join lateral (
        select x.version from pgtape_core.book x where x.market_id = m.id and x.trades > 0 offset 0
    ) b
    left join lateral (
        -- An unread one goes on counting, behind one that is read the next begins.
        select case when x.read_at is null then x.seq else (x.detail ->> 'up_to')::bigint end as base,
               case when x.read_at is null then (x.detail ->> 'trades')::bigint else 0 end as trades,
               (x.detail ->> 'up_to')::bigint as up_to
        from pgtape_core.notification x
        where x.account_id = derive_notifications.account_id and x.market_id = m.id and x.kind = 'traded'
        order by x.seq desc
        limit 1
    ) l on true
    cross join lateral (
        select count(*) as trades, max(s.seq) as up_to, max(s.at) as at
        from (
            select y.seq, y.at, y.account_id
            from pgtape_core.trade y
            where y.market_id = m.id and y.seq > coalesce(l.up_to, 0) and y.outcome is not null
            order by y.seq
            limit 10000
        ) s
        where s.account_id <> derive_notifications.account_id
    ) t
    where b.version > coalesce(l.up_to, 0) and t.trades > 0
    on conflict on constraint nobody_is_told_twice do update
    set detail = excluded.detail, created_at = excluded.created_at
    where n.read_at is null and (n.detail ->> 'up_to')::bigint < (excluded.detail ->> 'up_to')::bigint;

    insert into pgtape_core.notification (account_id, kind, market_id, seq, detail, created_at)
    select derive_notifications.account_id, 'closing_soon', m.id, 0,
           jsonb_build_object('closes_at', pgtape_core.json_time(m.closes_at)), clock_timestamp()
    from (
        select distinct p.market_id
        from pgtape_core.position p
        where p.account_id = derive_notifications.account_id and p.shares > 0
    ) held
    cross join lateral (
        -- What it holds comes first, here as above: many markets may have been made, and may close at one time.
        select x.* from pgtape_core.market x where x.id = held.market_id offset 0
    ) m
    join pgtape_core.book b on b.market_id = m.id
    where m.closes_at between clock_timestamp() and clock_timestamp() + interval '24 hours'
        and b.status in ('open', 'halted')
    on conflict do nothing;
$$;
-- +goose StatementEnd

-- unread_notifications gives how many things an account has not read, those included that are found
-- by looking.
-- Writes: notification.
-- Raises: TP007 no such account, TP009 not one's own.
-- +goose StatementBegin
create or replace function pgtape.unread_notifications(account text default null)
    returns bigint
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account record := pgtape_core.require_account(account);
begin
    perform pgtape_core.derive_notifications(v_account.account_id);
    return (
        select count(*) from pgtape_core.notification n where n.account_id = v_account.account_id and n.read_at is null
    );
end;
$$;
-- +goose StatementEnd

-- notifications gives what an account was told, the newest first; before: the id that the page
-- before ended with. words are the first of the comment that it is about, where that is still there. What concerns the
-- account itself names no market.
-- Raises: TP007 no such account, TP009 not one's own, TP011 most not from 1 to 200.
-- +goose StatementBegin
create or replace function pgtape.notifications(
    account text default null,
    before bigint default null,
    most integer default 50
)
    returns table (
        id bigint, kind text, market text, question text, seq bigint, detail jsonb, words text, at timestamptz,
        read_at timestamptz
    )
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account record := pgtape_core.require_account(account);
begin
    if most is null or most not between 1 and 200 then
        perform pgtape_core.refuse('invalid_request', 'most must lie between 1 and 200');
    end if;
    return query
    select n.id, n.kind, m.slug, m.question, n.seq, n.detail, left(c.body, 200), n.created_at, n.read_at
    from pgtape_core.notification n
    left join pgtape_core.market m on m.id = n.market_id
    left join pgtape_core.comment c on c.id = (n.detail ->> 'comment')::bigint
    where n.account_id = v_account.account_id
        and (before is null or (n.created_at, n.id) < (
            select x.created_at, x.id
            from pgtape_core.notification x
            where x.id = before and x.account_id = v_account.account_id
        ))
    order by n.created_at desc, n.id desc
    limit most;
end;
$$;
-- +goose StatementEnd

-- read_notifications marks some of an account's notifications as read, or all, and returns how many
-- are not. Those of others stay as they are.
-- Writes: notification.
-- Raises: TP007 no such account, TP009 not one's own.
-- +goose StatementBegin
create or replace function pgtape.read_notifications(ids bigint[] default null, account text default null)
    returns bigint
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account record := pgtape_core.require_account(account);
begin
    update pgtape_core.notification n
    set read_at = clock_timestamp()
    where n.account_id = v_account.account_id and n.read_at is null and (ids is null or n.id = any (ids));
    return (
        select count(*) from pgtape_core.notification n where n.account_id = v_account.account_id and n.read_at is null
    );
end;
$$;
-- +goose StatementEnd

-- forget_words takes away what an account has said and what it was told, and leaves the tape, where
-- neither is. For who deletes an account.
-- Writes: comment, notification.
-- +goose StatementBegin
create or replace function pgtape_core.forget_words(account_id bigint)
    returns void
    language sql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
    delete from pgtape_core.notification n
    using pgtape_core.comment c
    where c.account_id = forget_words.account_id
        and n.market_id = c.market_id and n.seq = c.seq and n.kind in ('mention', 'comment');
    delete from pgtape_core.comment c where c.account_id = forget_words.account_id;
    delete from pgtape_core.notification n where n.account_id = forget_words.account_id;
$$;
-- +goose StatementEnd

-- words_of gives, as JSON, what an account has said and what it was told.
-- +goose StatementBegin
create or replace function pgtape_core.words_of(account_id bigint)
    returns json
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select json_build_object(
        'comments', (
            select coalesce(
                json_agg(json_build_object('market', m.slug, 'at', c.at, 'body', c.body) order by c.id), '[]'
            )
            from pgtape_core.comment c
            join pgtape_core.market m on m.id = c.market_id
            where c.account_id = words_of.account_id
        ),
        'notifications', (
            select coalesce(json_agg(to_jsonb(n) - 'account_id' - 'market_id'
                || jsonb_build_object('market', m.slug) order by n.id), '[]')
            from pgtape_core.notification n
            left join pgtape_core.market m on m.id = n.market_id
            where n.account_id = words_of.account_id
        )
    );
$$;
-- +goose StatementEnd
