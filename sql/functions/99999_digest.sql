-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '29c3c933122641da2dab792989a7b78c13a324f8ebc83515e2d7fa23b49c985c',
    applied_at = clock_timestamp();
