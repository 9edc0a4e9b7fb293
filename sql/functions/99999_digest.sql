-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'dfe782bed558aa51da1f225eddf0a466cd6a1b74688036cd2f955d19c409e038',
    applied_at = clock_timestamp();
