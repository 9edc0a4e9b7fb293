-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '9c433cba5f5b1a3e4c111251f9ad74b1271f755ba572019852f210aaed3c7ee2',
    applied_at = clock_timestamp();
