-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'e36f8b7e4b4bb442d16c8b550f268c76f96869b64417ebb062a976f0b735fa57',
    applied_at = clock_timestamp();
