-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '9a56306c028282718d54be1f57e30918d41705b4e880e5007ce678c6bccd6e5b',
    applied_at = clock_timestamp();
