-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '1db80f1272d495cbe182c86bd533e321b0b5e1121ab4071c5d9a73d9b87d0821',
    applied_at = clock_timestamp();
