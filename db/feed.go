package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// FeedEntry is what a feed tells of a market: that it was made, or what became of it.
type FeedEntry struct {
	Market   string
	Question string
	Category string
	Outcomes []string
	Kind     string // created, resolved, void or corrected
	At       time.Time
	Cursor   string    // of the event
	Payout   []Decimal // by outcome; nil: created
	Reason   string
}

// Feed gives the newest markets and the newest resolutions, so many of each, newest first. A draft
// comes when it is opened, a market that is corrected once, with its last payout.
//
// What is told of a market are its first event and the last of its life (talk is none): both are read
// by their key, and no state is computed.
func (d *DB) Feed(ctx context.Context, each int) ([]FeedEntry, error) {
	type row struct {
		Market, Kind, Body, Cursor, Created string
		At                                  time.Time
	}
	rows, err := all[row](ctx, d, `
		with told as (
			select e.market, e.seq, e.at, e.kind, row_number() over (partition by e.seq = 1 order by e.at desc, e.market) as place
			from pgtape.heads h
			cross join lateral (
				select t.seq from pgtape.timeline t where t.market = h.slug order by t.seq desc limit 1
			) l
			cross join lateral (
				select t.market, t.seq, t.at, t.kind, t.body
				from pgtape.tape t
				where t.market = h.slug and t.seq = any (array[1, l.seq])
				offset 0 -- one look-up for each market, never a scan of the tape
			) e
			where h.slug <> 'house'
				and (e.kind in ('resolved', 'void', 'corrected')
					or e.kind = 'created' and not (l.seq = 1 and e.body::json ->> 'status' = 'draft'))
		)
		select n.market, n.at, n.kind, t.body, t.cursor, c.body as created
		from told n
		join pgtape.tape t on t.market = n.market and t.seq = n.seq
		join pgtape.tape c on c.market = n.market and c.seq = 1
		where n.place <= $1
		order by n.at desc, n.market`, each)
	if err != nil {
		return nil, err
	}
	entries := make([]FeedEntry, len(rows))
	for i, r := range rows {
		entries[i] = FeedEntry{Market: r.Market, Kind: r.Kind, At: r.At, Cursor: r.Cursor}
		if err := entries[i].read(r.Created, r.Body); err != nil {
			return nil, fmt.Errorf("reading the tape of %s: %w", r.Market, err)
		}
	}
	return entries, nil
}

// read fills in what the bodies of the market's first event and of the entry's say.
func (e *FeedEntry) read(created, body string) error {
	var first struct {
		Created struct {
			Question, Category string
			Outcomes           []string
		}
	}
	if err := json.Unmarshal([]byte(created), &first); err != nil {
		return err
	}
	e.Question, e.Category, e.Outcomes = first.Created.Question, first.Created.Category, first.Created.Outcomes
	if e.Kind == "created" {
		return nil
	}
	var event map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &event); err != nil {
		return err
	}
	var end struct {
		Payout ByOutcome
		Reason string
	}
	if err := json.Unmarshal(event[e.Kind], &end); err != nil {
		return err
	}
	e.Payout, e.Reason = end.Payout.Numbers, end.Reason
	return nil
}
