package rivals

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// serializable does what pgtape.trade does the way Manifold does it: the client reads the market,
// computes the price, and writes trade, position, balance and market in a SERIALIZABLE transaction,
// which it does again when it collides with another. The tables are the simplest that hold it: no
// tape, no hashes, no ledger, floating-point prices. It has less to write than pgtape, not more.
type serializable struct {
	pool    *pgxpool.Pool
	base    int // id of the first account
	market  int // id of the first market
	markets int
	holds   [][2]bool // by connection: the share of yes or no to sell
	at      []int     // by connection: the market it is in
}

const liquidity = 100

func newSerializable(ctx context.Context, o Options) (rival, error) {
	err := execute(ctx, o.Superuser,
		"create schema if not exists rival_serializable",
		`create table if not exists rival_serializable.market (
			id integer generated always as identity primary key,
			yes double precision not null default 0, no double precision not null default 0,
			version bigint not null default 0, volume double precision not null default 0)`,
		`create table if not exists rival_serializable.account (
			id integer generated always as identity primary key,
			balance double precision not null default 1000 check (balance >= 0))`,
		`create table if not exists rival_serializable.position (
			account integer not null, market integer not null, outcome text not null,
			shares double precision not null check (shares >= 0), primary key (account, market, outcome))`,
		`create table if not exists rival_serializable.trade (
			id bigint generated always as identity primary key, market integer not null, account integer not null,
			outcome text not null, side text not null, shares double precision not null, amount double precision not null,
			price_before double precision not null, price_after double precision not null,
			at timestamptz not null default clock_timestamp())`,
		"create index if not exists trade_market on rival_serializable.trade (market, at)",
	)
	if err != nil {
		return nil, err
	}
	s := &serializable{markets: o.Markets, holds: make([][2]bool, o.Connections), at: make([]int, o.Connections)}
	if s.pool, err = open(ctx, o.Superuser, o.Connections); err != nil {
		return nil, err
	}
	row := s.pool.QueryRow(ctx, "with n as (insert into rival_serializable.market select from generate_series(1, $1::int) returning id) select min(id) from n", o.Markets)
	if err := row.Scan(&s.market); err != nil {
		return nil, errors.Join(err, closed(s.pool))
	}
	row = s.pool.QueryRow(ctx, "with n as (insert into rival_serializable.account select from generate_series(1, $1::int) returning id) select min(id) from n", o.Connections)
	if err := row.Scan(&s.base); err != nil {
		return nil, errors.Join(err, closed(s.pool))
	}
	return s, nil
}

func closed(pool *pgxpool.Pool) error {
	pool.Close()
	return nil
}

func (s *serializable) close() { s.pool.Close() }

// call buys a share of an outcome, or sells the one it has.
func (s *serializable) call(ctx context.Context, connection int) (got done, err error) {
	held := &s.holds[connection]
	outcome, shares := rand.IntN(2), 1.0
	switch {
	case held[0]:
		outcome, shares = 0, -1
	case held[1]:
		outcome, shares = 1, -1
	default:
		s.at[connection] = (s.at[connection] + 1) % s.markets
	}
	market := s.market + (connection+s.at[connection])%s.markets
	for {
		err := s.trade(ctx, market, s.base+connection, outcome, shares)
		var pg *pgconn.PgError
		if errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01") {
			// A short random pause, so that those who collided do not do so again at once.
			got.retries++
			time.Sleep(rand.N(time.Duration(min(got.retries, 10)) * time.Millisecond))
			continue
		}
		if err != nil {
			return got, err
		}
		held[outcome] = shares > 0
		got.accepted = 1
		return got, nil
	}
}

func (s *serializable) trade(ctx context.Context, market, account, outcome int, shares float64) error {
	tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }() // of what was not committed
	var q [2]float64
	var balance float64
	err = tx.QueryRow(ctx, "select yes, no from rival_serializable.market where id = $1", market).Scan(&q[0], &q[1])
	if err != nil {
		return err
	}
	if err := tx.QueryRow(ctx, "select balance from rival_serializable.account where id = $1", account).Scan(&balance); err != nil {
		return err
	}
	before, cost := price(q, outcome), lmsr(q)
	q[outcome] += shares
	amount := lmsr(q) - cost
	if amount > balance {
		return fmt.Errorf("account %d cannot pay %f", account, amount)
	}
	name, side := [...]string{"yes", "no"}[outcome], "buy"
	position := `insert into rival_serializable.position values ($1, $2, $3, $4)
		on conflict (account, market, outcome) do update set shares = rival_serializable.position.shares + excluded.shares`
	if shares < 0 {
		side = "sell"
		position = "update rival_serializable.position set shares = shares - $4 where account = $1 and market = $2 and outcome = $3"
	}
	for _, write := range []struct {
		sql  string
		args []any
	}{
		{
			`insert into rival_serializable.trade (market, account, outcome, side, shares, amount, price_before, price_after)
				values ($1, $2, $3, $4, $5, $6, $7, $8)`,
			[]any{market, account, name, side, math.Abs(shares), math.Abs(amount), before, price(q, outcome)},
		},
		{position, []any{account, market, name, math.Abs(shares)}},
		{"update rival_serializable.account set balance = balance - $2 where id = $1", []any{account, amount}},
		{
			"update rival_serializable.market set yes = $2, no = $3, version = version + 1, volume = volume + $4 where id = $1",
			[]any{market, q[0], q[1], math.Abs(amount)},
		},
	} {
		if _, err := tx.Exec(ctx, write.sql, write.args...); err != nil {
			return err
		}
	}
	return tx.Commit(ctx)
}

func lmsr(q [2]float64) float64 {
	most := max(q[0], q[1])
	return most + liquidity*math.Log(math.Exp((q[0]-most)/liquidity)+math.Exp((q[1]-most)/liquidity))
}

func price(q [2]float64, outcome int) float64 {
	return 1 / (1 + math.Exp((q[1-outcome]-q[outcome])/liquidity))
}
