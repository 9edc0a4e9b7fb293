-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '58d8f2c1a17fd6bed1dfc86846965a35b9998afce1d3398e34fd6d56e06c390a',
    applied_at = clock_timestamp();
