-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '87436d25ef2b1c0ec4c42e6cdb14591f726d9a97eccb578812943d41dbba11a2',
    applied_at = clock_timestamp();
