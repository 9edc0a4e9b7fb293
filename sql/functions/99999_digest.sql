-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '46085433d2830d535e68847ae7fca41a047712fe81edae6636dc5d91e528d367',
    applied_at = clock_timestamp();
