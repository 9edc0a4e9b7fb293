-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '99d4aaa84298652973857b10710e447dd2e971f21778198a353565b853a41628',
    applied_at = clock_timestamp();
