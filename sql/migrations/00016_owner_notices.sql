-- +goose Up
-- An account is told what happens to what lets its owner in: no market is concerned.
alter table pgtape_core.notification
    alter column market_id drop not null,
    drop constraint kind_is_known,
    add constraint kind_is_known check (kind in (
        'resolved', 'proposed', 'traded', 'mention', 'comment', 'closing_soon',
        'password_changed', 'key_made', 'identity_linked', 'identity_unlinked'
    )),
    add constraint market_is_named_unless_the_account_is_concerned check (
        (market_id is null) = (kind in ('password_changed', 'key_made', 'identity_linked', 'identity_unlinked'))
    );

-- They take a choice more; the functions are applied after this.
drop function if exists pgtape.set_password(text, text, bytea, text, text);
drop function if exists pgtape.use_sign_in_link(bytea, text, bytea, text);
drop function if exists pgtape_core.write_credential(bigint, text);

-- +goose Down
drop function if exists pgtape.set_password(text, text, bytea, text, text, boolean);
drop function if exists pgtape.use_sign_in_link(bytea, text, bytea, text, boolean);
drop function if exists pgtape_core.write_credential(bigint, text, boolean, text);
delete from pgtape_core.notification where market_id is null;
alter table pgtape_core.notification
    drop constraint market_is_named_unless_the_account_is_concerned,
    drop constraint kind_is_known,
    add constraint kind_is_known check (kind in ('resolved', 'proposed', 'traded', 'mention', 'comment', 'closing_soon')),
    alter column market_id set not null;
