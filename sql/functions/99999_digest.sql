-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '948d6cbf7701a6fb7a7dc0ad97f349f666447d59c3f564a5babd98e210963e83',
    applied_at = clock_timestamp();
