-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '37f6afb1f1ce6c2a84cb6f5b90f9f478de02f675ff9dc7326710e385e80af095',
    applied_at = clock_timestamp();
