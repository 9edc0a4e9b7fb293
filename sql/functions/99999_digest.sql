-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '3b6839f7df797cd5448026ff9750559c8441767e4384a9cac16171605e302eff',
    applied_at = clock_timestamp();
