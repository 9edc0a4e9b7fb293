-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '1f4c9155b599f888c4e13fada3c3d48ac85eb8abfdcf73abf89eb9393fc9b8ec',
    applied_at = clock_timestamp();
