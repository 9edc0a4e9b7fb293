-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '720e8fe0e1c26decd52d169f6c23b9f859da466a37e5aca6677cdfb25456795f',
    applied_at = clock_timestamp();
