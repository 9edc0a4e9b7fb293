-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '71f0aa7ed54b283452e9fbdb7ebda43a8c488bbcea4fb78da6f22217a9cdeab2',
    applied_at = clock_timestamp();
