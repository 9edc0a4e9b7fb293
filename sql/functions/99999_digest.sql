-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'daed65649e11942673deb851d226d51f9d11d1fff73422708076ec11a38300ef',
    applied_at = clock_timestamp();
