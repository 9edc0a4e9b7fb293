-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '1f4f31d9920956075d0ccec3535b28b168c97618b355b9e74550dfb79ab44a0a',
    applied_at = clock_timestamp();
