-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '27e4b09c783bb733d431f4bf7430c7aabeb6b7146e61b010eac3f095a2539408',
    applied_at = clock_timestamp();
