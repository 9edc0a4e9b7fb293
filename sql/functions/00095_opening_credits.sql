-- +goose Up
-- What a new account begins with. Accounts cost nothing, so where everybody gets credits, many accounts
-- of one person make one of them rich: the setting opening_credits says who gets some.

-- opening_credits gives what an account begins with that somebody signs up for: the setting
-- opening_balance, or 0 where opening_credits wants an invite, an identity at a provider, or an
-- operator's approval. Whoever has an identity gets it once: also after the account was deleted.
-- Writes: identity_grant.
-- +goose StatementBegin
create or replace function pgtape_core.opening_credits(invited boolean, issuer text, subject text)
    returns numeric
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_full numeric := (select s.value::numeric from pgtape_core.setting s where s.name = 'opening_balance');
    v_may  boolean := case (select s.value from pgtape_core.setting s where s.name = 'opening_credits')
        when 'invite' then invited
        when 'oidc' then subject is not null
        when 'approval' then false
        else true
    end;
begin
    if not v_may then
        return 0;
    end if;
    if subject is not null then
        insert into pgtape_core.identity_grant (identity_hash)
        values (sha256(convert_to(issuer || E'\n' || subject, 'UTF8')))
        on conflict do nothing;
        if not found then
            return 0;
        end if;
    end if;
    return v_full;
end;
$$;
-- +goose StatementEnd

-- approve_account gives an account that began with nothing its opening credits, once.
-- Locks, writes: as grant_credits.
-- Raises: TP007 no such account, TP009 caller is no operator, TP010 it has been given credits already.
-- +goose StatementBegin
create or replace function pgtape.approve_account(account text, operator text default null)
    returns pgtape_core.account_state
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_account pgtape_core.account;
begin
    perform pgtape_core.require_operator(operator);
    v_account := pgtape_core.find_active_account(account);
    -- As grant_credits does: two approvals come one after the other.
    perform from pgtape_core.house_tape h for no key update;
    if exists (
        select from pgtape_core.ledger_entry e where e.account_id = v_account.id
            and e.kind in ('opening_grant', 'grant')
    ) then
        perform pgtape_core.refuse(
            'already_exists', v_account.handle || ' has been given credits already', 'to give more: grant_credits'
        );
    end if;
    return pgtape.grant_credits(
        v_account.handle, (select s.value::numeric from pgtape_core.setting s where s.name = 'opening_balance'),
        'opening credits', operator
    );
end;
$$;
-- +goose StatementEnd

-- accounts_to_approve gives the accounts that were given no credits yet, the newest first.
-- Raises: TP009 caller is no operator.
-- +goose StatementBegin
create or replace function pgtape.accounts_to_approve(operator text default null)
    returns table (handle text, created_at timestamptz)
    language plpgsql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform pgtape_core.require_operator(operator);
    if (select s.value from pgtape_core.setting s where s.name = 'opening_credits') is distinct from 'approval' then
        return;
    end if;
    return query
    select a.handle, a.created_at
    from pgtape_core.account a
    where a.kind = 'person' and a.gone_at is null and not exists (
        select from pgtape_core.ledger_entry e where e.account_id = a.id and e.kind in ('opening_grant', 'grant')
    )
    order by a.id desc
    limit 100;
end;
$$;
-- +goose StatementEnd
