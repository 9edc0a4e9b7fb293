-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'c8a450bc0027367c87748a21199342615d3ecf659b29a81ad30c866aab609ee9',
    applied_at = clock_timestamp();
