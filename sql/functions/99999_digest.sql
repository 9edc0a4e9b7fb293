-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '1ca708fa8693fb79128610aaaf9cffbe4f6801a7de41ea632fe050eb408a7839',
    applied_at = clock_timestamp();
