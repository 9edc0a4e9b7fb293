-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '4ba556a28d00737ebff1bb4818b10cbcae004e12d5c80e6bb69e5c35535060db',
    applied_at = clock_timestamp();
