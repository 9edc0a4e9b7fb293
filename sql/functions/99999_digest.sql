-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '40f7ae4428aac09804f45eb1f7cc7ff3def6247f839294b287e7a55b885e4aab',
    applied_at = clock_timestamp();
