-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '033b3425cd3a5dcc76c93f1bba804c78942301fd4acb589b0503cceb04b022da',
    applied_at = clock_timestamp();
