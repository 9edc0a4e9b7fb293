package rivals

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
)

// commit is the least that a trade could cost: a row of one's own updated and one inserted, in one
// statement and one transaction. On one connection it shows what a commit takes, on many what a
// Postgres can commit.
type commit struct{ pool *pgxpool.Pool }

func newCommit(ctx context.Context, o Options) (rival, error) {
	err := execute(ctx, o.Superuser,
		"create schema if not exists rival_commit",
		"create table if not exists rival_commit.counter (id integer primary key, n bigint not null)",
		"create table if not exists rival_commit.entry (id bigint generated always as identity primary key, counter integer not null, n bigint not null, at timestamptz not null default clock_timestamp())",
		"insert into rival_commit.counter select i, 0 from generate_series(0, 1023) i on conflict do nothing",
	)
	if err != nil {
		return nil, err
	}
	pool, err := open(ctx, o.Superuser, o.Connections)
	return commit{pool}, err
}

func (c commit) close() { c.pool.Close() }

func (c commit) call(ctx context.Context, connection int) (done, error) {
	_, err := c.pool.Exec(ctx, `
		with u as (update rival_commit.counter set n = n + 1 where id = $1 returning id, n)
		insert into rival_commit.entry (counter, n) select id, n from u`, connection%1024)
	return done{accepted: 1}, err
}

func open(ctx context.Context, url string, connections int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections)
	config.ConnConfig.RuntimeParams["jit"] = "off"
	return pgxpool.NewWithConfig(ctx, config)
}
