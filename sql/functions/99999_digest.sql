-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'a16f20193faeb9530a81dc8501b4f086b5570001a6291d56ebb4d99bb1a3e637',
    applied_at = clock_timestamp();
