-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '345ce1671c7a81605ffbc4708aa8a24127f4e6c7d61ec01f17649a185bde1093',
    applied_at = clock_timestamp();
