package rivals

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/bench"
)

// Notify sends notifications on a channel for a while, rate of them per second, each in a
// transaction of its own. Each is a JSON object, as long as an event of pgtape, that begins with its
// member at: the database's time in microseconds since 1970.
func Notify(ctx context.Context, url, channel string, rate float64, d time.Duration) (sent int64, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	sending, stop := context.WithTimeout(ctx, d)
	defer stop()
	for calls := bench.NewSchedule(rate); ; sent++ {
		if _, ok := calls.Next(sending); !ok {
			return sent, nil
		}
		_, err := conn.Exec(ctx, `select pg_notify($1,
			'{"at":' || (extract(epoch from clock_timestamp()) * 1000000)::bigint || ',"body":"' || repeat('x', 380) || '"}')`, channel)
		if err != nil {
			return sent, err
		}
	}
}
