-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '627468cb34e0e1f095490c6a8a76e73669d48a3389af5c25002e461834cdcf07',
    applied_at = clock_timestamp();
