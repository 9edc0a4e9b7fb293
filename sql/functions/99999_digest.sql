-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '852bea4c069e576f54d5a726079c51aff87b39eb4ceb61d5d58dc61ea3b435f5',
    applied_at = clock_timestamp();
