-- +goose Up
-- Who holds the locks of markets. An SQL login may begin, trade in every market and then do nothing:
-- what it has locked nobody else can trade or halt. A server looks, and ends such sessions.

-- market_lock_holders gives the sessions whose transactions have locked the state of markets, but for
-- those of servers (and superusers). transaction tells one of a session from its next.
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
        and not pg_has_role(a.usesysid, 'pgtape_server', 'member');
$$;
-- +goose StatementEnd

-- end_lock_holder ends such a session, if it is still in that transaction, and says whether it was.
-- Writes: audit_entry.
-- Raises: TP009 caller is neither server nor operator, or the owner of the functions may not signal.
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
    begin
        perform pg_terminate_backend(end_lock_holder.pid);
    exception
        when insufficient_privilege then
            perform pgtape_core.refuse(
                'not_permitted',
                format('the SQL login %s keeps markets locked, and this database may not end its session', v_login),
                'grant pg_signal_backend to ' || quote_ident(current_user)
            );
    end;
    perform pgtape_core.log_audit(
        'login_ended', v_login, pgtape_core.actor(),
        jsonb_build_object('why', 'kept markets locked', 'pid', end_lock_holder.pid)
    );
    return true;
end;
$$;
-- +goose StatementEnd

-- may_end_lock_holders says whether end_lock_holder can do what it is for.
-- +goose StatementBegin
create or replace function pgtape.may_end_lock_holders()
    returns boolean
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select pg_has_role(current_user, 'pg_signal_backend', 'usage');
$$;
-- +goose StatementEnd
