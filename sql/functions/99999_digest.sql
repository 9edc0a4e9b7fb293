-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'f481feb012d48271f5c25a736dbe70040e8aca743cdd4f452042b2fef036d8b3',
    applied_at = clock_timestamp();
