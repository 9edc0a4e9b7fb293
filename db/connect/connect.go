// Package connect opens connections to Postgres. Every connection of pgtape is made here (the pool's,
// the tape reader's, those of backup, restore, branches, migrations, the doctor and the command line),
// so that what a session reads and writes does not depend on what a database, a login or an
// environment happens to set: text that is written for another session is written in one form.
package connect

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/pgtape/pgtape/db/hosts"
)

// tracked are the settings that a pooler such as PgBouncer keeps for each of its clients.
var tracked = map[string]string{
	"client_encoding":             "UTF8",
	"datestyle":                   "ISO, YMD",
	"timezone":                    "UTC",
	"standard_conforming_strings": "on",
}

// fixed are the others that text, or the meaning of a statement, depends on. A pooler refuses them:
// there they are the login's own (alter role … set …), and db.Open looks at those that matter.
var fixed = map[string]string{
	"intervalstyle":         "postgres",
	"extra_float_digits":    "1",
	"bytea_output":          "hex",
	"xmloption":             "content",
	"array_nulls":           "on",
	"quote_all_identifiers": "off",
	"transform_null_equals": "off",
	"row_security":          "off", // all rows or an error, never some of them
	// No schema that others can write, and pg_temp last, since Postgres would else look there first.
	"search_path":                    "pg_catalog, pg_temp",
	"default_transaction_isolation":  "read committed",
	"default_transaction_deferrable": "off",
}

// unlimited are the limits that a database may set for the statements of people and programs. What
// copies whole tables, or listens for days, is none of them.
var unlimited = map[string]string{
	"statement_timeout":                   "0",
	"lock_timeout":                        "0",
	"idle_in_transaction_session_timeout": "0",
	"idle_session_timeout":                "0",
}

// Options of a connection. The zero value is for statements that are under the limits of the database.
type Options struct {
	Name string // application_name, where the URL has none. Empty: pgtape
	// Pooled is for a pooler that gives a session for one transaction: only what it tracks is set.
	Pooled bool
	// Unlimited lifts the database's time limits: for what takes as long as it takes.
	Unlimited bool
}

// Config reads a URL, or keywords and values, and fixes what a session of ours depends on.
func Config(url string, o Options) (*pgx.ConnConfig, error) {
	if err := checkScheme(url); err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, unreadable(err)
	}
	if err := hosts.RefuseWish(&config.Config); err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	fix(&config.Config, o)
	return config, nil
}

// PoolConfig is Config for a pool.
func PoolConfig(url string, o Options) (*pgxpool.Config, error) {
	if err := checkScheme(url); err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, unreadable(err)
	}
	if err := hosts.RefuseWish(&config.ConnConfig.Config); err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	fix(&config.ConnConfig.Config, o)
	return config, nil
}

// Replication is Config for the replication protocol.
func Replication(url string, o Options) (*pgx.ConnConfig, error) {
	config, err := Config(url, o)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["replication"] = "database"
	return config, nil
}

// checkScheme refuses URLs of something else: read as a keyword and a value, one would be sent to Postgres
// as a setting, password and all, and stand in its log.
func checkScheme(url string) error {
	if _, _, ok := cutScheme(url); ok {
		return nil
	}
	if before, _, ok := strings.Cut(url, "://"); ok && !strings.ContainsAny(before, "='"+spaces) {
		return errors.New("database URL: want postgres://login:password@host/database, or keywords and values (host=… user=…)")
	}
	return nil
}

// unreadable says why a URL cannot be read, and not which: in one that is not as it should be, nobody can
// tell for sure what the password is.
func unreadable(err error) error {
	why := err.Error()
	if i := strings.LastIndex(why, "`: "); i >= 0 { // pgconn.ParseConfigError: cannot parse `URL`: why
		why = why[i+len("`: "):]
	}
	if before, _, quotes := strings.Cut(why, `"`); quotes {
		why = before + "…"
	}
	return fmt.Errorf("database URL: %s", why)
}

func fix(config *pgconn.Config, o Options) {
	params := config.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = "pgtape"
		if o.Name != "" {
			params["application_name"] = o.Name
		}
	}
	forget(params, tracked)
	maps.Copy(params, tracked)
	if o.Pooled {
		return
	}
	forget(params, fixed)
	maps.Copy(params, fixed)
	if !o.Unlimited {
		return
	}
	forget(params, unlimited)
	maps.Copy(params, unlimited)
	after := config.AfterConnect
	config.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		// Older servers know no such parameter, and would refuse the connection for it.
		if major(conn.ParameterStatus("server_version")) >= 17 {
			if _, err := conn.Exec(ctx, "set transaction_timeout = 0").ReadAll(); err != nil {
				return err
			}
		}
		if after != nil {
			return after(ctx, conn)
		}
		return nil
	}
}

// forget drops parameters of the URL in other spellings: Postgres takes DateStyle for datestyle, and
// which of two it hears last would be chance.
func forget(params, names map[string]string) {
	for name := range params {
		if _, ours := names[strings.ToLower(name)]; ours {
			delete(params, name)
		}
	}
}

func major(version string) (n int) {
	_, _ = fmt.Sscanf(version, "%d", &n)
	return n
}

// Open connects to the database of a URL.
func Open(ctx context.Context, url string, o Options) (*pgx.Conn, error) {
	config, err := Config(url, o)
	if err != nil {
		return nil, err
	}
	return Dial(ctx, config)
}

// Dial connects as a Config says. Where a pooler refuses what it does not track, and no time limit has
// to be lifted, it connects without that; the config then has no more of it either.
// Errors: ErrPooler where a time limit has to be.
func Dial(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	return DialOne(ctx, hosts.ForOnce(config.ConnString()), config)
}

// DialOne is Dial to one of the servers of the config's URL that are shared with others who connect.
func DialOne(ctx context.Context, servers *hosts.Servers, config *pgx.ConnConfig) (*pgx.Conn, error) {
	conn, err := servers.Connect(ctx, config)
	if !refusedByPooler(err) {
		return conn, err
	}
	if _, lifted := config.RuntimeParams["statement_timeout"]; lifted {
		return nil, fmt.Errorf("%w (%w)", ErrPooler, err)
	}
	for name := range fixed {
		delete(config.RuntimeParams, name)
	}
	return servers.Connect(ctx, config)
}

// OpenDB is for who speaks database/sql. Its connections are all to the server that was chosen first, for
// as long as that answers.
func OpenDB(servers *hosts.Servers, config *pgx.ConnConfig) *sql.DB {
	return stdlib.OpenDB(*config, stdlib.OptionBeforeConnect(servers.BeforeConnect))
}

// ErrPooler is of what needs a session of its own.
var ErrPooler = errors.New("a pooler stands before the database, and this needs a session of its own: name Postgres itself in the URL")

// refusedByPooler tells PgBouncer's answer to a parameter that it does not track. Postgres has no
// protocol violation to find in a connection that is made by the protocol.
func refusedByPooler(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "08P01"
}
