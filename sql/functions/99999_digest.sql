-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'd8a48dee7e4824ba3e4b8d174175ebe61d407880ef30381df9927ad052361f95',
    applied_at = clock_timestamp();
