-- +goose Up
-- Who begins with credits, and how much an account may say.

-- Identities that were given opening credits: whoever deletes the account and comes again has had them.
create table pgtape_core.identity_grant (
    identity_hash bytea primary key,
    at            timestamptz not null default clock_timestamp()
);

insert into pgtape_core.identity_grant (identity_hash)
select sha256(convert_to(i.issuer || E'\n' || i.subject, 'UTF8')) from pgtape_core.identity i
on conflict do nothing;

comment on column pgtape_core.identity_grant.identity_hash is 'SHA-256 of issuer, line feed, subject: stays when the account goes';

insert into pgtape_core.setting (name, value)
values ('opening_credits', 'everyone'), ('comments_per_minute', '20')
on conflict do nothing;

create index comment_account_at on pgtape_core.comment (account_id, at);
drop index pgtape_core.comment_account;

-- +goose Down
create index comment_account on pgtape_core.comment (account_id);
drop index pgtape_core.comment_account_at;
delete from pgtape_core.setting where name in ('opening_credits', 'comments_per_minute');
drop table pgtape_core.identity_grant cascade;
