-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'edd0868a8d7ae64c2365d86ea621ea4d9f2f17b49ed3dfd350843d68a44c7769',
    applied_at = clock_timestamp();
