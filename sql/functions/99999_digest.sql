-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '5d2b6ae93a838c87f9edd9b3a5eff2d4cb6e8f618566708c269748a349a41caa',
    applied_at = clock_timestamp();
