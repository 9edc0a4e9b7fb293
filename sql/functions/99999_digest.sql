-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '3cc99032cda6fc7083848364d0f7862801af56b3e0bf0444c427b540b0035c4c',
    applied_at = clock_timestamp();
