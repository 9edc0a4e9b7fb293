-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'b464dd9edc2c78afffa6bce958c0914e9ee30a45ad3f3d70e6127badf372c4c0',
    applied_at = clock_timestamp();
