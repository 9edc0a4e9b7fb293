-- +goose Up
-- Who leaves takes the name along. The book stays as it is, to the micro-unit: the account's row,
-- entries, trades and positions go on under a name that says nothing, and are paid out to it. The
-- tapes that told the name are written again from the first event that did, with new hashes, and
-- every such rewriting is itself on record: pgtape_core.rewriting.

-- renamed gives the body of an event with one account called by another name: wherever the event
-- names an account, and nowhere in what people wrote. actor: whether the actor is that account.
-- The places are those of the functions that write events; in JSON text no quoted string can
-- contain what stands around them here.
-- +goose StatementBegin
create or replace function pgtape_core.renamed(kind text, body text, old text, new text, actor boolean default true)
    returns text
    language plpgsql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_old   text := replace(old, '.', E'\\.');
    v_short integer;
    v_end   integer;
    v_part  text;
begin
    if strpos(body, '"' || old || '"') = 0 then
        return body;
    end if;
    case kind
        when 'trade' then
            return regexp_replace(
                body, E'^(\\{"trade":\\{"id":[0-9]+,"account":")' || v_old || '"', E'\\1' || new || '"'
            );
        when 'created' then
            return replace(
                body, ',"account":"' || old || '","void_payout":{', ',"account":"' || new || '","void_payout":{'
            );
        when 'commented', 'comment_removed' then
            body := regexp_replace(
                body, E'^(\\{"[a-z_]+":\\{"id":[0-9]+,"account":")' || v_old || '"', E'\\1' || new || '"'
            );
            if actor then
                body := replace(body, ',"actor":"' || old || '"},"prices":{', ',"actor":"' || new || '"},"prices":{');
            end if;
            return body;
        when 'account' then
            return regexp_replace(body, E'^(\\{"account":\\{"handle":")' || v_old || '"', E'\\1' || new || '"');
        when 'grant' then
            body := regexp_replace(body, E'^(\\{"grant":\\{"account":")' || v_old || '"', E'\\1' || new || '"');
            if actor then
                body := regexp_replace(body, '(,"actor":")' || v_old || E'"\\}\\}$', E'\\1' || new || '"}}');
            end if;
            return body;
        else
            if actor then
                body := replace(body, ',"actor":"' || old || '"},"status":"', ',"actor":"' || new || '"},"status":"');
            end if;
            if kind = 'corrected' then
                v_short := strpos(body, '},"short":{');
                v_end := v_short + strpos(substr(body, v_short), '},"reason":');
                v_part := substr(body, v_short, v_end - v_short);
                v_part := replace(
                    replace(v_part, '{"' || old || '":"', '{"' || new || '":"'), ',"' || old || '":"',
                    ',"' || new || '":"'
                );
                body := left(body, v_short - 1) || v_part || substr(body, v_end);
            end if;
            return body;
    end case;
end;
$$;
-- +goose StatementEnd

-- rewrite_tape calls an account by another name on one tape, from the first event that names it.
-- Locks:  none further: the caller has locked the market's book, or the house's tape.
-- Writes: rewriting, tape, book or house_tape; nothing if the tape does not name it.
-- +goose StatementBegin
create or replace function pgtape_core.rewrite_tape(market text, old text, new text, actor boolean, why text)
    returns void
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_from     bigint;
    v_event    record;
    v_hash     bytea;
    v_old_head bytea;
    v_version  bigint;
    v_bodies   text[] := '{}';
    v_hashes   bytea[] := '{}';
begin
    -- 1. From where.
    select min(t.seq) into v_from
    from pgtape_core.tape t
    where t.market = rewrite_tape.market and strpos(t.body, '"' || old || '"') > 0
        and t.body <> pgtape_core.renamed(t.kind, t.body, old, new, actor);
    if v_from is null then
        return;
    end if;

    -- 2. The chain anew. Each event follows from the one before it as rewritten.
    for v_event in
        select t.seq, t.at, t.kind, t.body, t.prev_hash, t.hash
        from pgtape_core.tape t
        where t.market = rewrite_tape.market and t.seq >= v_from
        order by t.seq
    loop
        v_hash := coalesce(v_hash, v_event.prev_hash);
        v_bodies := array_append(v_bodies, pgtape_core.renamed(v_event.kind, v_event.body, old, new, actor));
        v_hash := pgtape_core.event_hash(
            v_hash, market, v_event.seq, v_event.at, v_event.kind, v_bodies[cardinality(v_bodies)]
        );
        v_hashes := array_append(v_hashes, v_hash);
        v_version := v_event.seq;
        v_old_head := v_event.hash;
    end loop;

    -- 3. On record first: what is not may not be updated.
    insert into pgtape_core.rewriting (market, from_seq, version, old_head, new_head, why)
    values (rewrite_tape.market, v_from, v_version, v_old_head, v_hash, rewrite_tape.why);

    update pgtape_core.tape t
    set body = n.body,
        prev_hash = coalesce(n.prev_hash, t.prev_hash),
        hash = n.hash
    from (
        select v_from + u.i - 1 as seq, u.body, u.hash, lag(u.hash) over (order by u.i) as prev_hash
        from unnest(v_bodies, v_hashes) with ordinality as u (body, hash, i)
    ) n
    where t.market = rewrite_tape.market and t.seq = n.seq;

    if market = 'house' then
        update pgtape_core.house_tape set head = v_hash;
    else
        update pgtape_core.book b
        set head = v_hash
        from pgtape_core.market m
        where m.slug = rewrite_tape.market and b.market_id = m.id;
    end if;
    perform pgtape_core.notify_readers(array(
        select t from pgtape_core.tape t where t.market = rewrite_tape.market and t.seq = v_version
    ));
end;
$$;
-- +goose StatementEnd

-- tapes_naming lists the markets whose tapes may name an account: those where it has traded, that it
-- has funded or acted on.
-- +goose StatementBegin
create or replace function pgtape_core.tapes_naming(account pgtape_core.account)
    returns setof bigint
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select t.market_id from pgtape_core.trade t where t.account_id = account.id
    union select p.market_id from pgtape_core.position p where p.account_id = account.id
    union select m.id from pgtape_core.market m where m.funder_id = account.id
    union select e.market_id from pgtape_core.ledger_entry e where e.account_id = account.id and e.market_id is not null
    union select m.id
    from pgtape_core.audit_entry x
    join pgtape_core.market m on m.slug = x.subject
    where x.account_id = account.id;
$$;
-- +goose StatementEnd

-- lock_to_leave locks all that the deletion of an account touches. A trade in yet another market
-- may have come before its row was locked: then everything is let go of, and taken again.
-- Locks:  the books of all markets whose tapes name it, by ascending id; the house's tape; the
--         account and all admins, by ascending id.
-- Raises: TP002 when it goes on trading in ever new markets.
-- +goose StatementBegin
create or replace function pgtape_core.lock_to_leave(account_id bigint)
    returns pgtape_core.account
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account pgtape_core.account;
    v_markets bigint[];
begin
    for attempt in 1 .. 10 loop
        begin
            select a.* into v_account from pgtape_core.account a where a.id = lock_to_leave.account_id;
            v_markets := array(select pgtape_core.tapes_naming(v_account));
            perform from pgtape_core.book b where b.market_id = any (v_markets) order by b.market_id for no key update;
            perform from pgtape_core.house_tape h for no key update;
            perform from pgtape_core.account a
            where a.id = v_account.id or a.role = 'admin'
            order by a.id
            for no key update;
            select a.* into v_account from pgtape_core.account a where a.id = lock_to_leave.account_id;
            if (select bool_and(n = any (v_markets)) from pgtape_core.tapes_naming(v_account) n) is not false then
                return v_account;
            end if;
            raise exception using errcode = 'TP000'; -- lets go of the locks
        exception
            when sqlstate 'TP000' then null;
        end;
    end loop;
    perform pgtape_core.refuse('market_not_open', 'the account is trading', 'stop what trades for it, and try again');
end;
$$;
-- +goose StatementEnd

-- delete_account makes an account one that nobody has any more, called gone-…; who it was is said
-- nowhere again. Its open positions stay and are paid out to it, its markets go on.
-- confirm: the handle, typed by its owner. Returns the new handle.
-- Locks:  see lock_to_leave.
-- Writes: account, session, login, tape, book, house_tape, rewriting, audit_entry.
-- Raises: TP007 no such account, TP009 caller is not the server, or the account is the last admin,
--         TP011 confirm is not its handle.
-- +goose StatementBegin
create or replace function pgtape.delete_account(account text, confirm text)
    returns text
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
    set jit = off
as $$
declare
    v_account pgtape_core.account := pgtape_core.find_own_account(account);
    v_new     text := 'gone-' || left(replace(gen_random_uuid()::text, '-', ''), 8);
    v_actor   boolean;
    v_market  text;
    v_why     constant text := 'an account was deleted';
begin
    -- 1. Check.
    if not (pgtape_core.is_server() or pgtape_core.is_operator()) then
        perform pgtape_core.refuse('not_permitted', 'only the server and operators delete accounts');
    end if;
    if confirm is distinct from v_account.handle then
        perform pgtape_core.refuse(
            'invalid_request', 'that is not the handle of the account', 'type it as it is shown: ' || v_account.handle
        );
    end if;

    -- 2. Lock, and check what that guarantees.
    v_account := pgtape_core.lock_to_leave(v_account.id);
    if v_account.gone_at is not null then
        perform pgtape_core.refuse('not_found', 'the account is deleted already');
    end if;
    perform pgtape_core.require_other_admin(v_account.id);
    while exists (select from pgtape_core.account a where a.handle = v_new) loop
        v_new := 'gone-' || left(replace(gen_random_uuid()::text, '-', ''), 8);
    end loop;

    -- 3. Its tapes. An actor of that name is the account, unless there was an SQL login of the name that
    -- acted without an account, before these were called login:….
    v_actor := not exists (
        select from pgtape_core.audit_entry x where x.actor = v_account.handle and x.account_id is null
    );
    for v_market in
        select m.slug from pgtape_core.market m where m.id in (select pgtape_core.tapes_naming(v_account)) order by m.id
    loop
        perform pgtape_core.rewrite_tape(v_market, v_account.handle, v_new, v_actor, v_why);
    end loop;
    perform pgtape_core.rewrite_tape('house', v_account.handle, v_new, v_actor, v_why);

    -- 4. The audit log. Subjects that are markets are none of its.
    update pgtape_core.audit_entry x
    set actor = case when x.account_id = v_account.id then v_new else x.actor end,
        subject = case
            when x.subject = v_account.handle and not exists (
                select from pgtape_core.tape t where t.market = x.subject and t.kind = x.act
                    and t.at between x.at - interval '1 minute' and x.at + interval '1 minute'
            ) then v_new
            else x.subject
        end
    where x.account_id = v_account.id or x.subject = v_account.handle;

    -- 5. What lets somebody in, and what says who it was.
    delete from pgtape_core.login l where l.account_id = v_account.id;
    perform pgtape_core.forget_access(v_account.id);
    perform pgtape_core.forget_words(v_account.id);
    update pgtape_core.account a
    set handle = v_new, role = 'trader', gone_at = clock_timestamp()
    where a.id = v_account.id;
    perform pgtape_core.log_audit('account_deleted', v_new, v_new);
    return v_new;
end;
$$;
-- +goose StatementEnd

-- export_account gives all that is kept of an account, as one JSON object, but no secret and no hash
-- of one. What other parts keep of somebody they add by words_of and access_of.
-- Raises: TP007 no such account, TP009 caller is not the server.
-- +goose StatementBegin
create or replace function pgtape.export_account(account text)
    returns json
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
    set jit = off
as $$
declare
    v_account pgtape_core.account := pgtape_core.find_own_account(account);
begin
    if not (pgtape_core.is_server() or pgtape_core.is_operator()) then
        perform pgtape_core.refuse('not_permitted', 'only the server and operators export accounts');
    end if;
    return json_build_object(
        'account', (
            select json_build_object(
                'handle', v_account.handle, 'balance', v_account.balance::text, 'role', v_account.role,
                'created_at', v_account.created_at
            )
        ),
        'sql_logins', (
            select coalesce(json_agg(l.role_name), '[]') from pgtape_core.login l where l.account_id = v_account.id
        ),
        'access', pgtape_core.access_of(v_account.id),
        'words', pgtape_core.words_of(v_account.id),
        'positions', (
            select coalesce(json_agg(json_build_object(
                'market', m.slug, 'outcome', m.outcomes[p.outcome], 'shares', p.shares::text
            ) order by m.id, p.outcome), '[]')
            from pgtape_core.position p
            join pgtape_core.market m on m.id = p.market_id
            where p.account_id = v_account.id
        ),
        'markets', (
            select coalesce(json_agg(json_build_object(
                'market', m.slug, 'question', m.question, 'description', m.description, 'category', m.category,
                'outcomes', m.outcomes, 'subsidy', m.subsidy::text, 'created_at', m.created_at
            ) order by m.id), '[]')
            from pgtape_core.market m
            where m.funder_id = v_account.id
        ),
        'acts', (
            select coalesce(json_agg(json_build_object(
                'at', x.at, 'act', x.act, 'subject', x.subject, 'detail', x.detail
            ) order by x.id), '[]')
            from pgtape_core.audit_entry x
            where x.account_id = v_account.id
        ),
        'trades', (
            select coalesce(json_agg(json_build_object(
                'id', t.id, 'market', m.slug, 'version', t.seq, 'at', t.at,
                'outcome', coalesce(m.outcomes[t.outcome], '*'),
                'side', t.side, 'shares', t.shares::text, 'amount', t.amount::text,
                'price_before', t.price_before::text,
                'price_after', t.price_after::text, 'balance', t.balance::text, 'position', t."position"::text,
                'spend', t.spend::text, 'expected_price', t.expected_price::text,
                'expected_version', t.expected_version,
                'max_slippage_bps', t.max_slippage_bps, 'max_cost', t.max_cost::text,
                'min_proceeds', t.min_proceeds::text,
                'deadline', t.deadline, 'idempotency_key', t.idempotency_key
            ) order by t.id), '[]')
            from pgtape_core.trade t
            join pgtape_core.market m on m.id = t.market_id
            where t.account_id = v_account.id
        ),
        'ledger', (
            select coalesce(json_agg(json_build_object(
                'transaction_id', e.transaction_id, 'at', e.at, 'kind', e.kind, 'market', m.slug,
                'amount', e.amount::text
            ) order by e.transaction_id), '[]')
            from pgtape_core.ledger_entry e
            left join pgtape_core.market m on m.id = e.market_id
            where e.account_id = v_account.id
        )
    );
end;
$$;
-- +goose StatementEnd

-- Every rewriting, for who holds published heads against the history.
create or replace view pgtape.rewritings as
select r.id, r.at, r.market, r.from_seq, r.version, encode(r.old_head, 'hex') as old_head,
       encode(r.new_head, 'hex') as new_head, r.why
from pgtape_core.rewriting r;

-- check_rewritings: the last rewriting of each tape led to the history that is there.
-- +goose StatementBegin
create or replace function pgtape_core.check_rewritings()
    returns table (invariant text, subject text, problem text)
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select 'a rewriting led to the history that is there', format('market %s, seq %s', r.market, r.version),
           'its hash is not the one on record'
    from (
        select distinct on (x.market) x.* from pgtape_core.rewriting x order by x.market, x.id desc
    ) r
    left join pgtape_core.tape t on t.market = r.market and t.seq = r.version
    where t.hash is distinct from r.new_head;
$$;
-- +goose StatementEnd

create or replace trigger append_only
    before update or delete or truncate on pgtape_core.rewriting
    for each statement execute function pgtape_core.refuse_change();
