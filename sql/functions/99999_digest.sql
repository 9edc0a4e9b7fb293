-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'ba58152f005529a0d038ae901b6fee2f84911209a3a8289b19f3d8fab32067d1',
    applied_at = clock_timestamp();
