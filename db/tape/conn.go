package tape

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgtape/pgtape/db/keyshare"
	"github.com/pgtape/pgtape/db/pgtime"
)

const (
	openTimeout   = 5 * time.Second // for a handshake, and for each step of opening a stream
	hangUpTimeout = time.Second
)

// connect opens a connection of the reader's own, so that no pool can starve it.
func connect(ctx context.Context, url string, shares *keyshare.Memory) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	config.RuntimeParams["application_name"] = "pgtape reader"
	config.RuntimeParams["timezone"] = "UTC"
	shares.Use(&config.Config)
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	pgtime.Register(conn.TypeMap())
	return conn, nil
}

// connectReplication opens a connection that speaks the replication protocol.
func connectReplication(ctx context.Context, url string, shares *keyshare.Memory) (*pgconn.PgConn, error) {
	config, err := pgconn.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	for name, value := range map[string]string{
		"replication": "database", "application_name": "pgtape reader",
		"timezone": "UTC", "datestyle": "ISO", "bytea_output": "hex",
	} {
		config.RuntimeParams[name] = value
	}
	shares.Use(config)
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connecting for replication: %w", err)
	}
	return conn, nil
}

// hangUp closes a connection, also one whose other end no longer answers.
func hangUp(ctx context.Context, conn interface{ Close(context.Context) error }) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hangUpTimeout)
	defer cancel()
	_ = conn.Close(ctx) // an error: it was broken before
}
