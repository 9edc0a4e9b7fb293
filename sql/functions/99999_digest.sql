-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '1a14d90181cd832ac29a7aec69a5af1d2bdaa83fbcb7f2e5dd82b1984b975b4d',
    applied_at = clock_timestamp();
