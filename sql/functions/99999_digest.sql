-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'b456ba035a6992caa084d7b0d3d4e50ba66b736f0ada84c19fb3df6e92de219b',
    applied_at = clock_timestamp();
