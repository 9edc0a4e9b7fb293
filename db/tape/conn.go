package tape

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgtape/pgtape/db/connect"
	"github.com/pgtape/pgtape/db/hosts"
	"github.com/pgtape/pgtape/db/pgtime"
)

const (
	openTimeout   = 5 * time.Second // for each step of opening a stream
	hangUpTimeout = time.Second
)

// readerOptions: the reader listens for days and may read a long tape; its own limits say when something
// is lost, not those that a database has for the statements of people.
var readerOptions = connect.Options{Name: "pgtape reader", Unlimited: true}

// dial opens a connection of the reader's own, so that no pool can starve it.
func dial(ctx context.Context, url string, servers *hosts.Servers) (*pgx.Conn, error) {
	config, err := connect.Config(url, readerOptions)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = readerOptions.Name
	config.RuntimeParams["synchronous_commit"] = "local" // what the reader writes need not be on any standby
	ctx, cancel := context.WithTimeout(ctx, servers.Patience())
	defer cancel()
	conn, err := connect.DialOne(ctx, servers, config)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	pgtime.Register(conn.TypeMap())
	return conn, nil
}

// connectReplication opens a connection that speaks the replication protocol.
func connectReplication(ctx context.Context, url string, servers *hosts.Servers) (*pgconn.PgConn, error) {
	config, err := connect.Replication(url, readerOptions)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = readerOptions.Name
	ctx, cancel := context.WithTimeout(ctx, servers.Patience())
	defer cancel()
	conn, err := servers.Connect(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connecting for replication: %w", err)
	}
	return conn.PgConn(), nil
}

// hangUp closes a connection, also one whose other end no longer answers.
func hangUp(ctx context.Context, conn interface{ Close(context.Context) error }) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hangUpTimeout)
	defer cancel()
	_ = conn.Close(ctx) // an error: it was broken before
}
