-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '19c126952a80c02b7525ec0c21df59b660ed4cbc5173f3716eccdf7471396d19',
    applied_at = clock_timestamp();
