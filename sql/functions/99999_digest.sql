-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'd3d593a3e49d6ebdf3714afcb90713dc588dcdcdcb5706e503c96a7917225ba6',
    applied_at = clock_timestamp();
