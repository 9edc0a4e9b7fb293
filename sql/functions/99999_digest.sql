-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '6860d4d24b1fd32258304258f83705850fd7fcecf775c34ef922e925300b4c8c',
    applied_at = clock_timestamp();
