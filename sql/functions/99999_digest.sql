-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '9eb56630d9fbe5f18a0e5fb1f774869461aee8a2656931a0b20346fd8e407695',
    applied_at = clock_timestamp();
