-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'fea8379783d8cfc52d658fa154311491e8485fb0ed6e94d74288fbc1977b494f',
    applied_at = clock_timestamp();
