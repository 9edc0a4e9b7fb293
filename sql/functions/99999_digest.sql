-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '49b37d4f9ae3507eddb5aa7d818c5a6e4591c771cf128d9db178ec1a36f83f46',
    applied_at = clock_timestamp();
