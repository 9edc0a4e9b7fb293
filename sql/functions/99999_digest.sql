-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'e1fa0cc79564ae495a245dfd89b60a646c52473417142e4c411cc5d32251a92c',
    applied_at = clock_timestamp();
