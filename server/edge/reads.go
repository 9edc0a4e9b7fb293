package edge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

const (
	readWithin = 10 * time.Second

	maxAnswer = 64 << 20 // bytes
	maxEvents = 1000     // of one answer
)

// The methods below are those of a database, answered by the origin.

// Market finds a market.
// Errors: NotFound, InvalidRequest, Unavailable.
func (o *Origin) Market(ctx context.Context, slug string) (db.Market, error) {
	var m db.Market
	err := o.get(ctx, slug, "", &m)
	return m, err
}

// MarketState finds a market and its holders, both as of the same version.
// Errors: NotFound, InvalidRequest, Unavailable.
func (o *Origin) MarketState(ctx context.Context, slug string) (db.MarketState, error) {
	if known := o.begun(slug); known != nil {
		return *known, nil
	}
	return o.readState(ctx, slug)
}

func (o *Origin) readState(ctx context.Context, slug string) (db.MarketState, error) {
	var answer struct {
		Market  db.Market `json:"market"`
		Holders []string  `json:"holders"`
	}
	err := o.get(ctx, slug, "/state", &answer)
	return db.MarketState{Market: answer.Market, Holders: answer.Holders}, err
}

// TapeAfter returns the events of a market behind a cursor, at most limit, in order. All who ask the
// same while it is read share one answer: after a restart they are many.
// Errors: NotFound, CursorUnknown, InvalidRequest, Unavailable.
func (o *Origin) TapeAfter(ctx context.Context, market, after string, limit int) ([]tape.Event, error) {
	shared := o.tails.DoChan(fmt.Sprintf("%s %s %d", market, after, limit), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readWithin)
		defer cancel()
		return o.readTape(ctx, market, after, limit)
	})
	select {
	case read := <-shared:
		events, _ := read.Val.([]tape.Event)
		return events, read.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (o *Origin) readTape(ctx context.Context, market, after string, limit int) ([]tape.Event, error) {
	query := url.Values{"limit": {strconv.Itoa(min(limit, maxEvents))}}
	var behind tape.Head
	if after != "" {
		var err error
		if behind, err = tape.ParseCursor(after); err != nil {
			return nil, db.Errorf(db.InvalidRequest, "%w", err)
		}
		query.Set("after", after)
	}
	var page struct {
		Events []json.RawMessage `json:"events"`
	}
	if err := o.get(ctx, market, "/tape?"+query.Encode(), &page); err != nil {
		return nil, err
	}
	return eventsOf(page.Events, behind)
}

// History gives the prices over time, thinned to about so many points.
// Errors: NotFound, InvalidRequest, Unavailable.
func (o *Origin) History(ctx context.Context, market string, since, until *time.Time, points int) ([]db.Point, error) {
	query := url.Values{"points": {strconv.Itoa(points)}}
	for name, at := range map[string]*time.Time{"from": since, "to": until} {
		if at != nil {
			query.Set(name, at.Format(time.RFC3339Nano))
		}
	}
	var answer struct {
		Points []db.Point `json:"points"`
	}
	err := o.get(ctx, market, "/history?"+query.Encode(), &answer)
	return answer.Points, err
}

// get asks the origin about a market.
func (o *Origin) get(ctx context.Context, slug, what string, into any) error {
	address := o.link.base.String() + "/api/v1/markets/" + url.PathEscape(slug) + what
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return db.Errorf(db.InvalidRequest, "%w", err)
	}
	request.Header.Set("Accept", "application/json")
	response, err := o.link.RoundTrip(request)
	if err != nil {
		return o.unreachable(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return o.unreachable(err)
	}
	if response.StatusCode != http.StatusOK {
		return refusal(response.StatusCode, text)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("malformed answer of the origin: %w", err)
	}
	return nil
}

// refusal is what the origin has said instead of an answer. What is not in our words, a proxy's, say,
// means that it cannot be reached.
func refusal(status int, text []byte) error {
	var problem struct {
		Code   db.Code `json:"code"`
		Detail string  `json:"detail"`
		Hint   string  `json:"hint"`
	}
	if json.Unmarshal(text, &problem) != nil || problem.Code == "" || problem.Code == db.Internal {
		return db.Errorf(db.Unavailable, "the server behind this one answers %d", status)
	}
	return &db.Error{Code: problem.Code, Message: problem.Detail, Hint: problem.Hint}
}

// unreachable is what those who ask hear when the origin has not answered. Where it is, is nothing to
// tell them.
func (o *Origin) unreachable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	o.failed.Add(1)
	o.log.Debug("the origin does not answer", "err", err)
	return &db.Error{Code: db.Unavailable, Message: "the server behind this one cannot be reached", Hint: "try again"}
}
