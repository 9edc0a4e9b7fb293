-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '229a9f40c3701ca271691abc35189a5ebd0cd0aea80c0f6141f5729c5a0fd5fd',
    applied_at = clock_timestamp();
