-- +goose Up
-- leaderboard gives who has gained most. profit: the balance and what the positions in markets that have
-- not paid out would bring now, less what was granted. counted, which ranks: profit less what was won
-- from accounts that lose nowhere else, so that nobody is lifted by accounts of his own. What an account
-- lost in one market counts for those who won it only up to what it has lost in all others; what an
-- account lost that operators have left out of the ranking (set_ranked) does not count. In each market
-- its winners share what is not counted, by what they won, as in value_transfers. Left out: accounts
-- that have left, or that operators have left out.
create or replace view pgtape.leaderboard as
with gain as materialized (
    select g.market_id, g.account_id, g.held, g.amount, g.traded from pgtape_core.market_gain g
), lost as (
    select g.account_id, -sum(g.amount) as amount
    from gain g
    where g.amount < 0
    group by g.account_id
), market as (
    select g.market_id,
           sum(case
               when u.account_id is not null then -g.amount
               else greatest(-g.amount - (l.amount + g.amount), 0)
           end) filter (where g.amount < 0)
           / greatest(sum(g.amount) filter (where g.amount > 0), -sum(g.amount) filter (where g.amount < 0))
               as uncounted
    from gain g
    left join lost l on l.account_id = g.account_id
    left join pgtape_core.unranked u on u.account_id = g.account_id
    group by g.market_id
), standing as (
    select g.account_id,
           sum(g.held) as held,
           count(*) filter (where g.traded) as markets,
           sum(greatest(g.amount, 0) * coalesce(m.uncounted, 0)) as uncounted
    from gain g
    join market m on m.market_id = g.market_id
    group by g.account_id
), granted as (
    select e.account_id, sum(e.amount) as amount
    from pgtape_core.ledger_entry e
    where e.kind in ('opening_grant', 'grant')
    group by e.account_id
)
select a.handle as account,
       a.balance,
       coalesce(s.held, 0)::numeric(30, 6) as positions_value,
       a.balance + coalesce(s.held, 0) - coalesce(g.amount, 0) as profit,
       coalesce(s.markets, 0) as markets,
       (a.balance + coalesce(s.held, 0) - coalesce(g.amount, 0) - coalesce(s.uncounted, 0))::numeric(30, 6) as counted
from pgtape_core.account a
left join standing s on s.account_id = a.id
left join granted g on g.account_id = a.id
where a.kind = 'person' and a.gone_at is null
    and not exists (select from pgtape_core.unranked u where u.account_id = a.id);

-- set_ranked leaves an account out of the leaderboard, with all that others have won from it, or takes it
-- in again. Operators may.
-- Writes: unranked, audit_entry.
-- Raises: TP007 no such account, TP009 caller is no operator, TP011 no reason, ranked is missing.
-- +goose StatementBegin
create or replace function pgtape.set_ranked(account text, ranked boolean, reason text, operator text default null)
    returns pgtape_core.account_state
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor   text := pgtape_core.require_operator(operator);
    v_account pgtape_core.account;
begin
    perform pgtape_core.refuse_error(case when ranked is null then 'ranked is missing' end);
    reason := pgtape_core.require_reason(reason);
    v_account := pgtape_core.find_account(account);
    if ranked then
        delete from pgtape_core.unranked u where u.account_id = v_account.id;
    else
        insert into pgtape_core.unranked (account_id) values (v_account.id) on conflict do nothing;
    end if;
    perform pgtape_core.log_audit(
        case when ranked then 'ranked' else 'unranked' end, v_account.handle, v_actor,
        jsonb_build_object('reason', reason)
    );
    return pgtape_core.account_state_of(v_account);
end;
$$;
-- +goose StatementEnd

-- unranked_accounts gives the accounts that are left out of the leaderboard, the newest first.
-- Raises: TP009 caller is no operator.
-- +goose StatementBegin
create or replace function pgtape.unranked_accounts(operator text default null)
    returns table (handle text, since timestamptz)
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform pgtape_core.require_operator(operator);
    return query
    select a.handle, u.at
    from pgtape_core.unranked u
    join pgtape_core.account a on a.id = u.account_id
    order by u.at desc, a.id
    limit 100;
end;
$$;
-- +goose StatementEnd
