-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'bfb0491a251c71c0b942f184f5c13a2e4be69496efc12e7c996df6b50ff0c621',
    applied_at = clock_timestamp();
