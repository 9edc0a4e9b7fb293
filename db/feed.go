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
// What is told of a market are its first event and the last of its life (talk is none): the newest of
// either are found by an index, however many markets there are.
func (d *DB) Feed(ctx context.Context, each int) ([]FeedEntry, error) {
	type row struct {
		Market, Kind, Body, Cursor, Created string
		At                                  time.Time
	}
	rows, err := all[row](ctx, d, `
		with told as (
			(select m.slug as market, 1 as seq
			from pgtape.markets m
			where m.status <> 'draft'
			order by m.created_at desc, m.slug
			limit $1)
			union all
			(select e.market, e.seq
			from pgtape.tape e
			where e.kind in ('resolved', 'void', 'corrected')
				and e.seq = (select l.seq from pgtape.timeline l where l.market = e.market order by l.seq desc limit 1)
			order by e.at desc, e.market
			limit $1)
		)
		select t.market, t.at, t.kind, t.body, t.cursor, c.body as created
		from told n
		cross join lateral (select * from pgtape.tape x where x.market = n.market and x.seq = n.seq offset 0) t -- one by one
		cross join lateral (select * from pgtape.tape x where x.market = n.market and x.seq = 1 offset 0) c
		order by t.at desc, t.market`, each)
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
