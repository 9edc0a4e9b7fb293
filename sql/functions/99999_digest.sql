-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '8fe42363489960516857c2d6aefb296d0bd62e7bec2bfaee2a2c0f0b15fd4b97',
    applied_at = clock_timestamp();
