-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'a348bec3231979ef1d12e70929536ace713db2fd54e35b07c5c58b85cb979a48',
    applied_at = clock_timestamp();
