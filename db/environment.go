package db

import (
	"context"

	"github.com/pgtape/pgtape/db/connect"
)

// Environment is the name of the environment that the database of a URL belongs to. It is empty
// where none has been given, and where there is no pgtape, or one from before environments.
// Errors: Unavailable.
func Environment(ctx context.Context, url string) (string, error) {
	conn, err := connect.Open(ctx, url, connect.Options{})
	if pg := pgErrorOf(err); pg != nil && pg.Code == "3D000" { // no such database
		return "", nil
	}
	if err != nil {
		return "", connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var there bool
	err = conn.QueryRow(ctx, "select to_regprocedure('pgtape.environment()') is not null").Scan(&there)
	if pg := pgErrorOf(err); pg != nil && pg.Code == "42501" { // a login that may not see it can do nothing there: Needs says why
		return "", nil
	}
	if err != nil {
		return "", refusal(err)
	}
	if !there {
		return "", nil
	}
	var name *string
	if err := conn.QueryRow(ctx, "select pgtape.environment()").Scan(&name); err != nil || name == nil {
		return "", refusal(err)
	}
	return *name, nil
}

// SetEnvironment names the environment that the database of a URL belongs to.
// Errors: NotPermitted, InvalidRequest, Unavailable.
func SetEnvironment(ctx context.Context, url, name string) error {
	conn, err := connect.Open(ctx, url, connect.Options{})
	if err != nil {
		return connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, "select pgtape.set_environment($1)", name)
	return refusal(err)
}
