-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'b46fe4d40cef362ef9dc5505b2590d23846759eb484bf4a8b7f2acff25da9af7',
    applied_at = clock_timestamp();
