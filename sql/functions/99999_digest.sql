-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '44ec89ce0be2934dcf634db06344dca50729f03cb7459cd9738f15f61071bf08',
    applied_at = clock_timestamp();
