-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '239ef03c684d5f08f4d4943c984f61937ee9c32d915b5296b88ddf11134c23aa',
    applied_at = clock_timestamp();
