-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'f0084cf4b8a363e78881dfe1d10d215d9a44860370e034a8a80639903e379aaa',
    applied_at = clock_timestamp();
