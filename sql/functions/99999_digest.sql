-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '4670bd3a8ea885533ad8675855923f7fdb22a3ab8fe2fd3af0c25aff01755373',
    applied_at = clock_timestamp();
