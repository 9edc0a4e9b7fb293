-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '752309042d724f17ebcaed16e279706cb3d8f09efad6d1e4a5b6ebd0e0de47ba',
    applied_at = clock_timestamp();
