-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'e3f9c99ae8d4fc6a2ea2897340147e346fd04aa511fcdadf5e4091b036b57621',
    applied_at = clock_timestamp();
