-- +goose Up
-- Who holds the locks of markets. An SQL login may begin, trade in every market and then do nothing:
-- what it has locked nobody else can trade or halt. A server looks, and ends such sessions.

-- market_lock_holders gives the sessions whose transactions have locked the state of markets, but for
-- those of servers (and superusers), for those whose commit waits for a standby (ending that wait has a
-- commit seen that no standby has), and for operators' statements, such as the settlement of a large
-- market: an operator's transaction is ended only while it does nothing. transaction tells one of a
-- session from its next.
-- +goose StatementBegin
create or replace function pgtape.market_lock_holders()
    returns table (pid integer, login text, transaction text)
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select distinct l.pid, a.usename::text, l.virtualtransaction
    from pg_catalog.pg_locks l
    join pg_catalog.pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'relation'
        and l.granted
        and l.mode in ('RowShareLock', 'RowExclusiveLock')
        and l.relation = 'pgtape_core.book'::regclass
        and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
        and a.wait_event is distinct from 'SyncRep'
        and not pg_has_role(a.usesysid, 'pgtape_server', 'member')
        and not (a.state = 'active' and pg_has_role(a.usesysid, 'pgtape_operator', 'member'));
$$;
-- +goose StatementEnd

-- market_lock_blockers gives those of them for whom others wait, but for who waits in turn for somebody
-- who has locked a market: it is that one who keeps both waiting. Others are those who are after markets
-- themselves: a reader that makes its slot waits for every transaction.
-- +goose StatementBegin
create or replace function pgtape.market_lock_blockers()
    returns table (pid integer, login text, transaction text)
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    with market_session as materialized ( -- sessions that read or write the state of markets
        select distinct l.pid
        from pg_catalog.pg_locks l
        where l.locktype = 'relation' and l.granted and l.relation = 'pgtape_core.book'::regclass
    ),
    waiter as materialized (
        select m.pid, pg_blocking_pids(m.pid) as waits_for
        from market_session m
        where exists (select from pg_catalog.pg_locks l where l.pid = m.pid and not l.granted)
    )
    select h.pid, h.login, h.transaction
    from pgtape.market_lock_holders() h
    where exists (select from waiter w where h.pid = any(w.waits_for))
        and not exists (
            select from waiter w
            join market_session m on m.pid = any(w.waits_for)
            where w.pid = h.pid
        );
$$;
-- +goose StatementEnd

-- end_lock_holder ends such a session, if it is still in that transaction, and says whether it was.
-- Writes: audit_entry.
-- Raises: TP009 caller is neither server nor operator, or the owner of the functions may not signal, or not
--         see which commits wait for a standby.
-- +goose StatementBegin
create or replace function pgtape.end_lock_holder(pid integer, transaction text)
    returns boolean
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_login text;
begin
    if not (pgtape_core.is_server() or pgtape_core.is_operator()) then
        perform pgtape_core.refuse('not_permitted', 'only servers and operators end the sessions of others');
    end if;
    select h.login into v_login
    from pgtape.market_lock_holders() h
    where h.pid = end_lock_holder.pid and h.transaction = end_lock_holder.transaction;
    if v_login is null then
        return false;
    end if;
    if not pgtape.may_end_lock_holders() then
        perform pgtape_core.refuse(
            'not_permitted',
            format('the SQL login %s keeps markets locked, and this database may not end its session', v_login),
            'grant pg_signal_backend, pg_read_all_stats to ' || quote_ident(current_user)
        );
    end if;
    perform pg_terminate_backend(end_lock_holder.pid);
    perform pgtape_core.log_audit(
        'login_ended', v_login, pgtape_core.actor(),
        jsonb_build_object('why', 'kept markets locked', 'pid', end_lock_holder.pid)
    );
    return true;
end;
$$;
-- +goose StatementEnd

-- may_end_lock_holders says whether end_lock_holder can do what it is for. Where commits wait for
-- standbys it must see which of them do.
-- +goose StatementBegin
create or replace function pgtape.may_end_lock_holders()
    returns boolean
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select pg_has_role(current_user, 'pg_signal_backend', 'usage')
        and (
            current_setting('synchronous_standby_names') = ''
            or pg_has_role(current_user, 'pg_read_all_stats', 'usage')
        );
$$;
-- +goose StatementEnd
