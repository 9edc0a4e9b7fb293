-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '30189ba748989565dba063105440d7a30b94ccb99b2a841752d8b63149598558',
    applied_at = clock_timestamp();
