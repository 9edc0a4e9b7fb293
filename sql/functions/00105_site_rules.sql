-- +goose Up
-- Who may make markets, how many, and how much an account may say; and the settings that say so. Operators
-- and the house may always.

-- setting_error says what is wrong with a setting, or null if nothing is.
-- +goose StatementBegin
create or replace function pgtape_core.setting_error(name text, value text)
    returns text
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select case name
        when 'market_creation' then
            case when value in ('everyone', 'approved', 'operators') is not true then
                'market_creation is everyone, approved (a draft until an operator opens it) or operators' end
        when 'market_min_liquidity' then
            case when (value ~ '^[0-9]{1,7}([.][0-9]{1,6})?$') is not true
                then 'market_min_liquidity is a number of up to 7 digits' end
        when 'markets_per_day' then
            case when (value ~ '^[0-9]{1,6}$') is not true then 'markets_per_day is a whole number, of one account' end
        when 'opening_credits' then
            case when value in ('everyone', 'invite', 'oidc', 'approval') is not true then
                'opening_credits is everyone, invite, oidc or approval: who begins with credits' end
        when 'comments_per_minute' then
            case when (value ~ '^[0-9]{1,6}$') is not true
                then 'comments_per_minute is a whole number, of one account' end
        else 'there is no setting ' || coalesce(pgtape_core.excerpt(name), '(null)')
    end;
$$;
-- +goose StatementEnd

-- set_setting changes a rule of the site. SQL operators may: the server's own login may not.
-- Writes: setting, audit_entry.
-- Raises: TP009 caller is no operator, TP011 no such setting or value.
-- +goose StatementBegin
create or replace function pgtape.set_setting(name text, value text)
    returns void
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_before text := (select s.value from pgtape_core.setting s where s.name = set_setting.name);
begin
    perform pgtape_core.require_operator();
    perform pgtape_core.refuse_error(pgtape_core.setting_error(name, value));
    if v_before is not distinct from value then
        return;
    end if;
    insert into pgtape_core.setting as s (name, value)
    values (set_setting.name, set_setting.value)
    on conflict on constraint setting_pkey do update set value = excluded.value;
    perform pgtape_core.log_audit(
        'setting_changed', name, pgtape_core.actor(), jsonb_build_object('value', value, 'before', v_before)
    );
end;
$$;
-- +goose StatementEnd

-- settings are the rules of the site, which everybody may know. The table has more, also what is nobody's
-- business, as the key by which servers sign devices: what is not named here is not shown.
create or replace view pgtape.settings as
select s.name, s.value
from pgtape_core.setting s
where s.name in (
    'opening_balance', 'market_creation', 'market_min_liquidity', 'markets_per_day', 'opening_credits',
    'comments_per_minute'
);

-- require_market_rate refuses who may make no market at all, or has made as many as an account may in a
-- day. It costs little, so it comes before texts are worked on, and again under the account's lock.
-- Raises: TP009 only operators may, TP012 too many in a day.
-- +goose StatementBegin
create or replace function pgtape_core.require_market_rate(maker pgtape_core.account)
    returns void
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_rules jsonb;
    v_since timestamptz;
begin
    -- 1. Those whom no rule is for.
    if maker.kind = 'house' or maker.role in ('operator', 'admin') then
        return;
    end if;

    -- 2. May it at all?
    select jsonb_object_agg(s.name, s.value) into v_rules from pgtape_core.setting s;
    if v_rules ->> 'market_creation' = 'operators' then
        perform pgtape_core.refuse('not_permitted', 'only operators make markets here', 'ask an operator for it');
    end if;

    -- 3. Not too many: the oldest of as many as it may make in a day is older than that.
    select m.created_at into v_since
    from pgtape_core.market m
    where m.funder_id = maker.id and m.created_at > clock_timestamp() - interval '1 day'
    order by m.created_at desc
    offset greatest((v_rules ->> 'markets_per_day')::bigint - 1, 0)
    limit 1;
    if v_since is not null or v_rules ->> 'markets_per_day' = '0' then
        perform pgtape_core.refuse(
            'too_many_requests', format('an account makes at most %s markets a day', v_rules ->> 'markets_per_day'),
            'wait, or ask an operator for it',
            jsonb_build_object('retry_after', ceil(extract(epoch from v_since + interval '1 day' - clock_timestamp())))
        );
    end if;
end;
$$;
-- +goose StatementEnd

-- require_market_creation says whether what an account makes is a draft, or that it may make none.
-- The caller has locked the account.
-- Raises: TP009 only operators may, TP011 too little liquidity, TP012 too many in a day.
-- +goose StatementBegin
create or replace function pgtape_core.require_market_creation(
    maker pgtape_core.account,
    liquidity numeric,
    draft boolean
)
    returns boolean
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_least text := (select s.value from pgtape_core.setting s where s.name = 'market_min_liquidity');
begin
    if maker.kind = 'house' or maker.role in ('operator', 'admin') then
        return draft;
    end if;
    if liquidity < v_least::numeric then
        perform pgtape_core.refuse(
            'invalid_request', 'the liquidity of a market is at least ' || v_least, null,
            jsonb_build_object('min_liquidity', v_least)
        );
    end if;
    perform pgtape_core.require_market_rate(maker);
    return draft or exists (
        select from pgtape_core.setting s where s.name = 'market_creation' and s.value = 'approved'
    );
end;
$$;
-- +goose StatementEnd

-- require_comment_rate refuses one comment too many of an account in a minute: each tells up to ten people.
-- repeated: the key of one that may be there already, and then is none too many.
-- Raises: TP012.
-- +goose StatementBegin
create or replace function pgtape_core.require_comment_rate(author_id bigint, repeated text default null)
    returns void
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_most bigint := (select s.value::bigint from pgtape_core.setting s where s.name = 'comments_per_minute');
begin
    if v_most is null or exists (
        select from pgtape_core.account a where a.id = author_id and a.role in ('operator', 'admin')
    ) or exists (
        select
        from pgtape_core.comment c
        where c.account_id = author_id and c.idempotency_key = repeated collate "C"
    ) then
        return;
    end if;
    if (
        select count(*) from pgtape_core.comment c where c.account_id = author_id
            and c.at > clock_timestamp() - interval '1 minute'
    ) >= v_most then
        perform pgtape_core.refuse(
            'too_many_requests', format('an account makes at most %s comments a minute', v_most), 'wait a minute',
            jsonb_build_object('retry_after', 60)
        );
    end if;
end;
$$;
-- +goose StatementEnd

-- require_proposal_rate refuses one more proposal or dispute in a market where there were ten in an hour,
-- of who is no operator: each is an event, an entry of the audit log, and told to all who hold shares.
-- Raises: TP012.
-- +goose StatementBegin
create or replace function pgtape_core.require_proposal_rate(m pgtape_core.market, account text)
    returns void
    language plpgsql
    stable
    set search_path = pg_catalog, pg_temp
as $$
begin
    if (account is null and pgtape_core.is_operator()) or exists (
        select from pgtape_core.account a
        where a.id = case when account is null then pgtape_core.own_account_id()
            else pgtape_core.find_account_id(account) end
            and a.role in ('operator', 'admin') and pgtape_core.is_proven(a.id, 'operate')
    ) then
        return;
    end if;
    if (
        select count(*)
        from (
            select t.kind, t.at
            from pgtape_core.tape t
            where t.market = m.slug and t.kind not in ('trade', 'commented', 'comment_removed')
            order by t.seq desc
            limit 20
        ) x
        where x.kind in ('proposed', 'disputed') and x.at > clock_timestamp() - interval '1 hour'
    ) >= 10 then
        perform pgtape_core.refuse(
            'too_many_requests', 'this market has had ten proposals and disputes in an hour',
            'wait, or ask an operator to resolve it',
            jsonb_build_object('retry_after', 3600)
        );
    end if;
end;
$$;
-- +goose StatementEnd
