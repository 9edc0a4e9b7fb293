-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '2f3f38660c4377f5dc2159de29fc53e1fc4d5da2fb9da9b4176169e57bf860a3',
    applied_at = clock_timestamp();
