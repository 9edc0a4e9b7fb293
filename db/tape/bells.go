package tape

import (
	"context"
	"fmt"
	"regexp"
	"sync"

	"github.com/jackc/pgx/v5"
)

// bells are doorbells that have rung and were not answered yet, one for each market whatever it rang:
// anybody can NOTIFY, as often as they like and for markets that there are not.
type bells struct {
	mu   sync.Mutex
	rung map[string]int64 // the highest seq, by market
	over bool             // more have rung than are remembered
}

// bellsMost is how many markets are remembered; beyond it, the heads of all are looked at.
const bellsMost = 4096

// add remembers a bell. first says that the reader does not know yet that there are any.
func (b *bells) add(market string, seq int64) (first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	first = len(b.rung) == 0
	if b.rung == nil {
		b.rung = make(map[string]int64)
	}
	if _, known := b.rung[market]; !known && len(b.rung) >= bellsMost {
		b.over = true
		return false
	}
	b.rung[market] = max(b.rung[market], seq)
	return first
}

func (b *bells) take() (rung map[string]int64, over bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rung, over = b.rung, b.over
	b.rung, b.over = nil, false
	return rung, over
}

var slugForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,99}$`)

// At most so many markets are asked for in one query, events of each, and names that are not known
// for each time that it rings: a new market is one of those.
const (
	askTogether = 200
	askEach     = 50
	askNew      = 64
)

// answer fetches what doorbells stand for, of many markets at a time. over says that some names that
// are not known were left out.
func (f *follower) answer(ctx context.Context, table backlog, rung map[string]int64) (over bool, err error) {
	var markets []string
	var after []int64
	unknown := 0
	for market, seq := range rung {
		ours, known := f.heads[market]
		if known && seq <= ours.Seq || !known && !slugForm.MatchString(market) {
			continue
		}
		if !known {
			if unknown++; unknown > askNew {
				over = true
				continue
			}
		}
		markets, after = append(markets, market), append(after, ours.Seq)
	}
	for len(markets) > 0 {
		n := min(len(markets), askTogether)
		if err := f.fetchMany(ctx, table, markets[:n], after[:n]); err != nil {
			return over, err
		}
		markets, after = markets[n:], after[n:]
	}
	return over, nil
}

// fetchMany delivers what the table has of some markets behind what was delivered.
func (f *follower) fetchMany(ctx context.Context, table backlog, markets []string, after []int64) error {
	events, err := table.afterMany(ctx, markets, after)
	if err != nil {
		return err
	}
	count := make(map[string]int)
	other := make(map[string]bool) // whose history was found to be another
	for _, e := range events {
		switch {
		case other[e.Market]:
			continue
		case !e.follows(f.heads[e.Market]):
			other[e.Market] = true
			if err := f.reset(ctx, table, e.Market); err != nil {
				return err
			}
			continue
		}
		f.publish(e)
		if count[e.Market]++; count[e.Market] < askEach {
			continue
		}
		if err := f.fetch(ctx, table, e.Market); err != nil { // there may be more
			return err
		}
	}
	return f.turned(ctx)
}

// afterMany reads at most askEach events of each of some markets behind a seq, those of each in order.
func (b backlog) afterMany(ctx context.Context, markets []string, after []int64) (events []Event, err error) {
	err = b.ask(ctx, func(ctx context.Context) error {
		rows, err := b.conn.Query(ctx, fmt.Sprintf(`
			select t.market, t.seq, t.at, t.kind, t.body, decode(t.prev_hash, 'hex'), decode(t.hash, 'hex')
			from unnest($1::text[], $2::bigint[]) rung (market, after)
			cross join lateral (
				select * from pgtape.tape e where e.market = rung.market and e.seq > rung.after order by e.seq limit %d
			) t
			order by t.market, t.seq`, askEach), markets, after)
		if err != nil {
			return err
		}
		events, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Event])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading tape: %w", err)
	}
	return events, nil
}
