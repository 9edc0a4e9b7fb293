-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'c21b424141a12e72a38a141bade36932151d100cce9669bcb7f63e0a9c41ae0d',
    applied_at = clock_timestamp();
