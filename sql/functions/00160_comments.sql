-- +goose Up
-- comment says something about a market, in any state of it. The tape tells that somebody did, so
-- every page hears of it live and in order; the text is kept beside, where it can be removed.
-- Repeated with its idempotency key, it is the same comment.
-- Locks:  the market's book.
-- Writes: comment, book, tape (kind 'commented'), notification.
-- Raises: TP006 the key is another comment's, TP007 no such market or account, TP009 not one's own
--         account, TP011 not 1 to 2000 characters.
-- +goose StatementBegin
create or replace function pgtape.comment(
    market text,
    body text,
    account text default null,
    idempotency_key text default null
)
    returns pgtape_core.comment_state
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_body    text;
    v_author  record := pgtape_core.require_account(account);
    v         record;
    v_comment pgtape_core.comment;
begin
    -- 1. Check; the rate first, since it costs the least.
    perform pgtape_core.require_comment_rate(v_author.account_id, idempotency_key);
    v_body := pgtape_core.require_text('a comment', body, 1, 2000, true);
    perform pgtape_core.refuse_error(case
        when length(idempotency_key) not between 1 and 255 then 'an idempotency key has 1 to 255 characters'
    end);

    -- 2. Lock the market: comments have their place among its events.
    v := pgtape_core.lock_market(market, '{draft,open,halted,closed,proposed,disputed,resolved,void}');

    -- 3. Repeat.
    select c.* into v_comment
    from pgtape_core.comment c
    where c.account_id = v_author.account_id and c.idempotency_key = comment.idempotency_key collate "C";
    if v_comment.id is not null and v_comment.market_id = (v.market).id and v_comment.body = v_body then
        return pgtape_core.comment_state_of(v_comment, (v.market).slug, v_author.account);
    end if;

    -- 4. Not too many of one account. Operators may say what they like.
    perform pgtape_core.require_comment_rate(v_author.account_id);

    -- 5. Write. The index decides between two of one key in different markets.
    insert into pgtape_core.comment as c (market_id, account_id, seq, body, at, idempotency_key)
    values ((v.market).id, v_author.account_id, (v.book).version + 1, v_body, clock_timestamp(), idempotency_key)
    on conflict do nothing
    returning c.* into v_comment;
    if v_comment.id is null then
        perform pgtape_core.refuse(
            'idempotency_mismatch', 'this idempotency key is another comment''s', 'choose a new key'
        );
    end if;

    -- 6. Announce.
    perform pgtape_core.talk(
        v.market, v.book, v_comment.at, 'commented',
        '{"id":' || v_comment.id || ',"account":' || to_json(v_author.account) || '}'
    );
    perform pgtape_core.notify_talk(v.market, v_comment, v_author.account);
    return pgtape_core.comment_state_of(v_comment, (v.market).slug, v_author.account);
end;
$$;
-- +goose StatementEnd

-- remove_comment takes the text of a comment away, and leaves on the tape that there was one. Its
-- author may, without a reason; an operator gives one, which is for the audit log.
-- Locks:  the market's book.
-- Writes: comment, notification, book, tape (kind 'comment_removed'), audit_entry.
-- Raises: TP007 no such comment or account, TP009 neither author nor operator, TP011 an operator
--         without a reason.
-- +goose StatementBegin
create or replace function pgtape.remove_comment(id bigint, reason text default null, account text default null)
    returns pgtape_core.comment_state
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor   record := pgtape_core.acting_account(account);
    v_slug    text;
    v         record;
    v_comment pgtape_core.comment;
    v_author  text;
    v_by      text;
begin
    perform pgtape_core.raise_refusal(v_actor.refusal);
    -- 1. Lock its market, and then see whether it is there still.
    select m.slug into v_slug
    from pgtape_core.comment c
    join pgtape_core.market m on m.id = c.market_id
    where c.id = remove_comment.id;
    if v_slug is not null then
        v := pgtape_core.lock_market(v_slug, '{draft,open,halted,closed,proposed,disputed,resolved,void}');
        select c.* into v_comment from pgtape_core.comment c where c.id = remove_comment.id;
    end if;
    if v_comment.id is null then
        perform pgtape_core.refuse(
            'not_found', 'there is no comment ' || coalesce(id::text, '(null)'), 'it may have been removed'
        );
    end if;
    select a.handle into v_author from pgtape_core.account a where a.id = v_comment.account_id;

    -- 2. Check who may.
    v_by := v_actor.account;
    if v_actor.account_id is distinct from v_comment.account_id then
        v_by := pgtape_core.require_operator(account);
        reason := pgtape_core.require_reason(reason);
        perform pgtape_core.log_audit(
            'comment_removed', v_slug, v_by,
            jsonb_build_object('id', v_comment.id, 'account', v_author, 'reason', reason)
        );
    end if;

    -- 3. Act and announce.
    delete from pgtape_core.comment c where c.id = v_comment.id;
    delete from pgtape_core.notification n
    where n.market_id = v_comment.market_id and n.seq = v_comment.seq and n.kind in ('mention', 'comment');
    perform pgtape_core.talk(
        v.market, v.book, clock_timestamp(), 'comment_removed',
        '{"id":' || v_comment.id || ',"account":' || to_json(v_author) || ',"actor":' || to_json(v_by) || '}'
    );
    v_comment.body := '';
    return pgtape_core.comment_state_of(v_comment, v_slug, v_author);
end;
$$;
-- +goose StatementEnd

-- talk announces what moves neither the status of a locked market nor its prices.
-- Writes: book, tape.
-- +goose StatementBegin
create or replace function pgtape_core.talk(
    m pgtape_core.market,
    b pgtape_core.book,
    at timestamptz,
    kind text,
    detail text
)
    returns void
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform pgtape_core.append_event(
        m.slug, b, at, kind,
        format('{%s:%s,"prices":%s}', to_json(kind), detail, pgtape_core.json_by_outcome(m.outcomes, b.prices))
    );
end;
$$;
-- +goose StatementEnd

-- require_account finds the account that the caller acts for, which it must have.
-- Raises: TP007 it has none, or there is none of the name, TP009 not one's own.
-- +goose StatementBegin
create or replace function pgtape_core.require_account(handle text, out account_id bigint, out account text)
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor record := pgtape_core.acting_account(handle);
begin
    perform pgtape_core.raise_refusal(v_actor.refusal);
    if v_actor.account_id is null then
        perform pgtape_core.refuse(
            'not_found', format('the SQL login %s has no account', session_user),
            'name one (account => …), or let an operator map one: select pgtape.map_login(…)'
        );
    end if;
    account_id := v_actor.account_id;
    account := v_actor.account;
end;
$$;
-- +goose StatementEnd

-- comment_state_of gives what everybody may know of a comment.
-- +goose StatementBegin
create or replace function pgtape_core.comment_state_of(c pgtape_core.comment, market text, account text)
    returns pgtape_core.comment_state
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select c.id, market, c.seq, account, c.body, c.at;
$$;
-- +goose StatementEnd

create or replace view pgtape.comments as
select c.id, m.slug as market, c.seq, a.handle as account, c.body, c.at
from pgtape_core.comment c
join pgtape_core.market m on m.id = c.market_id
join pgtape_core.account a on a.id = c.account_id;

-- The life of markets: the events that are neither a trade nor talk.
create or replace view pgtape.timeline as
select t.market,
       t.seq,
       t.at,
       t.kind,
       t.body,
       encode(t.prev_hash, 'hex') as prev_hash,
       encode(t.hash, 'hex') as hash
from pgtape_core.tape t
where t.kind not in ('trade', 'commented', 'comment_removed');

-- holders gives who holds most of each outcome: at most so many, the largest first. value is its
-- part of what selling all that the account holds in the market would bring now or, once the market
-- has paid out, of what it has brought.
-- Raises: TP011 most not from 1 to 1000.
-- +goose StatementBegin
create or replace function pgtape.holders(market text, most integer default 10)
    returns table (outcome text, account text, shares numeric, value numeric)
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    if most is null or most not between 1 and 1000 then
        perform pgtape_core.refuse('invalid_request', 'most must lie between 1 and 1000');
    end if;
    return query
    select m.outcomes[h.outcome], a.handle, h.shares,
           pgtape_core.holding_part(
               b.outstanding, m.liquidity, b.prices, b.payout, w.outcomes, w.shares, h.outcome
           )::numeric(30, 6)
    from pgtape_core.market m
    join pgtape_core.book b on b.market_id = m.id
    cross join lateral (
        select p.account_id, p.outcome, p.shares,
               row_number() over (partition by p.outcome order by p.shares desc, p.account_id) as place
        from pgtape_core.position p
        where p.market_id = m.id and p.shares > 0
    ) h
    join pgtape_core.account a on a.id = h.account_id
    cross join lateral (
        select array_agg(p.outcome::integer) as outcomes, array_agg(p.shares) as shares
        from pgtape_core.position p
        where p.account_id = h.account_id and p.market_id = m.id
    ) w
    where m.id = pgtape_core.find_market_id(holders.market) and h.place <= most
    order by h.outcome, h.place;
end;
$$;
-- +goose StatementEnd

-- check_comments: each comment that is there was made on the tape, and not removed there since. One
-- that is not there may have been forgotten with its account.
-- +goose StatementBegin
create or replace function pgtape_core.check_comments()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select 'the tape tells every comment', format('market %s, comment %s', m.slug, c.id), 'no event tells of it'
    from pgtape_core.comment c
    join pgtape_core.market m on m.id = c.market_id
    join pgtape_core.account a on a.id = c.account_id
    left join pgtape_core.tape t on t.market = m.slug and t.seq = c.seq
    where (t.kind, t.at, t.body::json -> 'commented' ->> 'id') is distinct from ('commented', c.at, c.id::text)
    union all
    select 'a removed comment is gone', format('market %s, comment %s', t.market, c.id), 'removed at seq ' || t.seq
    from pgtape_core.tape t
    join pgtape_core.comment c on c.id = (t.body::json -> 'comment_removed' ->> 'id')::bigint
    where t.kind = 'comment_removed';
$$;
-- +goose StatementEnd
