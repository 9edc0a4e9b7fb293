-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '5defe2a32a11e86d65f0713f366e8421f3c6e4895d129f9a8e6448ca1a603d21',
    applied_at = clock_timestamp();
