-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '8c68c8948a39ab2c52ad9cbddb3452d243864db4ea9771fea2e7b612d1cb709c',
    applied_at = clock_timestamp();
