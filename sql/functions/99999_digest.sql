-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '406c3708730bdd1126d6f7f9ea64c7bcc00d755f3ea562902c3508d7b8feec97',
    applied_at = clock_timestamp();
