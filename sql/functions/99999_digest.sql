-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '0413c5e686c912669b50daf30967cd4767dffc111ae3e993571d660e4cb63525',
    applied_at = clock_timestamp();
