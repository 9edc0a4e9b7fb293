-- +goose Up
-- The digest of the function files before this one; go test ./sql -update rewrites it.
update pgtape_core.function_bundle
set digest = '1eb937d7185ca71506586d67befadedae22bf3760291cdbf506ba63ba3c08611',
    applied_at = clock_timestamp();
