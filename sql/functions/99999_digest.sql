-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '61557f47c59f07ad9ad3d5c521d87dfc8435f99c7bc3f94f861a6da656f9a243',
    applied_at = clock_timestamp();
