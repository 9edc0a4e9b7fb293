-- +goose Up
-- Who may call and read what. Postgres lets everybody execute a new function: taken back first.
-- Nobody may write a table: the functions do, as their owner.
revoke all on all functions in schema pgtape, pgtape_core from public;
select pgtape_core.revoke_public_rights();

grant execute on function
    pgtape.quote(text, text, text, numeric, numeric),
    pgtape.trade(text, text, text, numeric, numeric, numeric, bigint, integer, numeric, numeric, timestamptz, text,
        text),
    pgtape.trade_batch(text, jsonb),
    pgtape.trade_batch(jsonb),
    pgtape.create_market(text, text, text[], numeric, timestamptz, text, text, text, numeric[], boolean),
    pgtape.history(text, timestamptz, timestamptz, integer),
    pgtape.market_page(text, text, text, text, numeric, text, integer, text[], numeric[]),
    pgtape.close_market(text, text, text),
    pgtape.propose_resolution(text, numeric[], text, text),
    pgtape.dispute_market(text, text, text),
    pgtape.settlement(text, numeric[]),
    pgtape.market_preview(integer, numeric, numeric),
    pgtape.comment(text, text, text, text),
    pgtape.remove_comment(bigint, text, text),
    pgtape.unread_notifications(text),
    pgtape.notifications(text, bigint, integer),
    pgtape.read_notifications(bigint[], text)
    to pgtape_server, pgtape_trader, pgtape_operator;

grant execute on function pgtape.holders(text, integer) to pgtape_server, pgtape_trader, pgtape_operator,
    pgtape_auditor;
grant select on pgtape.comments, pgtape.timeline to pgtape_server, pgtape_trader, pgtape_operator, pgtape_auditor;

grant execute on function pgtape.create_account(text, numeric) to pgtape_server, pgtape_operator;

grant execute on function
    pgtape.account_history(text, bigint, integer),
    pgtape.profit_history(text, timestamptz, integer),
    pgtape.account_markets(text),
    pgtape.markets_made(text),
    pgtape.export_account(text),
    pgtape.delete_account(text, text),
    pgtape.create_session(text, bytea, interval, text, boolean, text, text, text),
    pgtape.session_account(bytea),
    pgtape.delete_session(bytea),
    pgtape.moves(text, text),
    pgtape.sessions_of(text, bytea),
    pgtape.delete_sessions(text, bigint, bytea),
    pgtape.credential_of(text),
    pgtape.is_password(text, text),
    pgtape.renew_credential(text, text, text),
    pgtape.link_account(bytea),
    pgtape.use_sign_in_link(bytea, text, bytea, text, boolean),
    pgtape.create_key(text, text, text, bytea, text[], interval),
    pgtape.key_account(bytea),
    pgtape.keys_of(text),
    pgtape.revoke_key(text, bigint),
    pgtape.sign_up(text, text, bytea, text, text, bytea, text),
    pgtape.identity_account(text, text),
    pgtape.link_identity(text, text, text),
    pgtape.unlink_identity(text),
    pgtape.put_oidc_flow(bytea, jsonb),
    pgtape.oidc_flow(bytea),
    pgtape.device_key(),
    pgtape.take_oidc_flow(bytea),
    pgtape.keep_doorbell_ringing(),
    pgtape.probe_write()
    to pgtape_server;

-- The server does these for accounts that are operators, which it must name.
grant execute on function
    pgtape.halt_market(text, text, text),
    pgtape.open_market(text, text, text),
    pgtape.resolve_market(text, numeric[], text, text),
    pgtape.void_market(text, text, text),
    pgtape.correct_resolution(text, numeric[], text, text),
    pgtape.grant_credits(text, numeric, text, text),
    pgtape.set_role(text, text, text),
    pgtape.set_password(text, text, bytea, text, text, boolean),
    pgtape.create_sign_in_link(text, bytea, interval, text),
    pgtape.create_invite(bytea, integer, interval, text, text),
    pgtape.invites(text),
    pgtape.revoke_invite(bigint, text),
    pgtape.people(text, text, integer, text),
    pgtape.revoke_access(text, text),
    pgtape.ways_in(text)
    to pgtape_server, pgtape_operator;

grant execute on function
    pgtape.name_of_account(text), pgtape.name_of_market(text), 
    pgtape.site_record(), pgtape.account_record(text), pgtape.brier_scores(text[]), pgtape.account_profile(text)
    to pgtape_server, pgtape_trader, pgtape_operator, pgtape_auditor;

grant execute on function pgtape.map_login(text, text), pgtape.set_setting(text, text) to pgtape_operator;
grant execute on function pgtape.approve_account(text, text), pgtape.accounts_to_approve(text),
    pgtape.set_ranked(text, boolean, text, text), pgtape.unranked_accounts(text)
    to pgtape_server, pgtape_operator;
grant select on pgtape.value_transfers to pgtape_server, pgtape_operator, pgtape_auditor;
grant select on pgtape.settings to pgtape_server, pgtape_trader, pgtape_operator, pgtape_auditor;

grant execute on function
    pgtape.market_lock_holders(), pgtape.market_lock_blockers(),
    pgtape.end_lock_holder(integer, text), pgtape.may_end_lock_holders()
    to pgtape_server, pgtape_operator;

grant execute on function pgtape.environment() to pgtape_server, pgtape_trader, pgtape_operator, pgtape_auditor;
grant execute on function pgtape.set_environment(text) to pgtape_server, pgtape_operator;

grant execute on function pgtape.verify() to pgtape_server, pgtape_operator, pgtape_auditor;

grant select on pgtape.markets, pgtape.categories, pgtape.activity, pgtape.tape, pgtape.heads, pgtape.trades,
    pgtape.leaderboard, pgtape.schema_digest
    to pgtape_server, pgtape_trader, pgtape_operator, pgtape_auditor;
grant select on pgtape.my_account, pgtape.my_positions, pgtape.my_ledger to pgtape_trader, pgtape_operator,
    pgtape_server;
grant select on pgtape.accounts, pgtape.positions, pgtape.ledger, pgtape.audit, pgtape.rewritings to pgtape_server,
    pgtape_operator, pgtape_auditor;

-- What the views call, which runs with the reader's rights: it shows what the views show anyway.
grant execute on function
    pgtape_core.cursor_of(bigint, bytea),
    pgtape_core.avg_price(numeric, numeric, integer),
    pgtape_core.holding_value(numeric[], numeric, integer[], numeric[]),
    pgtape_core.holding_part(numeric[], numeric, numeric[], numeric[], integer[], numeric[], integer),
    pgtape_core.own_account_id()
    to pgtape_server, pgtape_trader, pgtape_operator, pgtape_auditor;
