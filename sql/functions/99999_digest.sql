-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '233acdc2c80d89ae36efac1802c2ee4a847d226627064d898776aaa08ff3521a',
    applied_at = clock_timestamp();
