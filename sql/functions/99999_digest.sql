-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = 'ad8ba9b38f3fa2cf91ed9c5e1d510bd05ea11904d404d8d857510871da9200e7',
    applied_at = clock_timestamp();
