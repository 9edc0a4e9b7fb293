package db

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/connect"
)

// SQLLogin is an SQL login by which somebody trades as an account, with the password it was given.
type SQLLogin struct {
	Name, Password, Account string
}

// loginLimits keep one login from taking all connections, and what it forgets from staying open. It may
// take off the times for itself: a server ends who keeps markets locked (server/lock_watch.go).
var loginLimits = []string{
	"set statement_timeout = '15s'", "set lock_timeout = '5s'", "set idle_in_transaction_session_timeout = '5s'", "connection limit %d",
}

// CreateSQLLogin makes an SQL login that trades as an account, with at most so many connections at a
// time. The URL's login makes it: it needs the right to make roles.
// Errors: NotFound, NotPermitted, AlreadyExists, InvalidRequest, Unavailable.
func CreateSQLLogin(ctx context.Context, url, handle string, connections int) (SQLLogin, error) {
	if connections < 1 || connections > 100 {
		return SQLLogin{}, Errorf(InvalidRequest, "a login has 1 to 100 connections")
	}
	conn, err := connect.Open(ctx, url, connect.Options{Unlimited: true})
	if err != nil {
		return SQLLogin{}, connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	login := SQLLogin{Password: strings.ToLower(rand.Text())}
	verifier, err := scramVerifier(login.Password)
	if err != nil {
		return SQLLogin{}, err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, "select handle from pgtape.accounts where handle = pgtape.name_of_account($1) and kind = 'person'", handle).Scan(&login.Account)
		if err == pgx.ErrNoRows {
			return Errorf(NotFound, "there is no account %s", handle)
		}
		if err != nil {
			return refusal(err)
		}
		login.Name = "trader_" + strings.ToLower(login.Account)
		name := pgx.Identifier{login.Name}.Sanitize()
		if _, err := tx.Exec(ctx, "create role "+name+" login password '"+verifier+"' in role pgtape_trader"); err != nil {
			return loginRefusal(err, login.Name)
		}
		for _, limit := range loginLimits {
			if strings.Contains(limit, "%d") {
				limit = fmt.Sprintf(limit, connections)
			}
			if _, err := tx.Exec(ctx, "alter role "+name+" "+limit); err != nil {
				return refusal(err)
			}
		}
		_, err = tx.Exec(ctx, "select pgtape.map_login($1, $2)", login.Name, login.Account)
		return refusal(err)
	})
	return login, err
}

// loginRefusal says why a role was not made.
func loginRefusal(err error, name string) error {
	pg := pgErrorOf(err)
	switch {
	case pg == nil:
		return refusal(err)
	case pg.Code == "42710": // duplicate_object
		return &Error{Code: AlreadyExists, Message: "there is an SQL login " + name + " already", Hint: "another password: psql -c '\\password " + pgx.Identifier{name}.Sanitize() + "'", cause: err}
	case pg.Code == "42501":
		return &Error{Code: NotPermitted, Message: "this login may not make others", Hint: "name one in --database-url that has CREATEROLE and may grant pgtape_trader", cause: err}
	}
	return refusal(err)
}
