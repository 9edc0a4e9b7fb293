-- +goose Up
-- The functions end sessions of SQL logins that keep markets locked (pgtape.end_lock_holder), as their
-- owner. A login that may not give itself this right goes without: doctor says so, and how to mend it.
-- +goose StatementBegin
do $$
begin
    if not pg_has_role(current_user, 'pg_signal_backend', 'usage') then
        execute format('grant pg_signal_backend to %I', current_user);
    end if;
exception
    when insufficient_privilege then
        raise notice 'sessions that keep markets locked cannot be ended: as a superuser, grant pg_signal_backend to %', quote_ident(current_user);
end;
$$;
-- +goose StatementEnd

-- +goose Down
-- The right stays: it is the cluster's.
