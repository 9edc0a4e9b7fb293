package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	pollEvery = time.Second
	pageSize  = 200 // events: little enough for a slow line within askWithin
	askWithin = 10 * time.Second

	firstProbe = 5 * time.Second // pauses between sockets that are tried meanwhile
	longProbe  = time.Minute
)

// poll delivers by HTTP until that fails, or a socket gets through, which it returns.
func (w *watch) poll(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	found := make(chan *websocket.Conn, 1)
	var probe sync.WaitGroup
	probe.Go(func() { w.client.probe(ctx, found) })
	defer func() {
		cancel()
		probe.Wait()
		select {
		case unused := <-found:
			unused.Close()
		default:
		}
	}()
	for _, t := range w.tracks {
		t.resume()
		t.acknowledged = false
	}
	for {
		if err := w.round(ctx); err != nil {
			return nil, err
		}
		select {
		case conn := <-found:
			return conn, nil
		case <-time.After(pollEvery/2 + rand.N(pollEvery)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// probe tries sockets until one brings something: a heartbeat, which names no market yet.
func (c *Client) probe(ctx context.Context, found chan<- *websocket.Conn) {
	for pause := firstProbe; ; pause = min(2*pause, longProbe) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause/2 + rand.N(pause)):
		}
		conn, _, err := c.dial(ctx)
		if err != nil {
			continue
		}
		conn.SetReadLimit(maxMessage)
		err = conn.SetReadDeadline(time.Now().Add(silence))
		if err == nil {
			_, _, err = conn.ReadMessage()
		}
		if err == nil {
			found <- conn
			return
		}
		conn.Close()
	}
}

// round brings every subscription up to date, and says so as a heartbeat does.
func (w *watch) round(ctx context.Context) error {
	heads := map[string]int64{}
	for market, t := range w.tracks {
		if t.ended {
			continue
		}
		err := w.pollMarket(ctx, market, t)
		var refused *Error
		if errors.As(err, &refused) {
			err = w.answered(refused, market)
		}
		if err != nil {
			return err
		}
		heads[market] = t.seq
	}
	now := time.Now()
	return w.accept(Frame{Op: OpHeartbeat, Event: Event{At: now}, Heads: heads, Source: "live", Received: now})
}

// answered decides what follows from a refusal.
func (w *watch) answered(e *Error, market string) error {
	switch {
	case e.Code == CodeNotFound || e.Code == CodeInvalidRequest:
		return w.accept(Frame{Op: OpError, Code: e.Code, Message: e.Message, Event: Event{Market: market}, Received: time.Now()})
	case e.final():
		return e
	}
	return &lost{code: LostConnection, market: market, message: e.Message}
}

func (w *watch) pollMarket(ctx context.Context, market string, t *track) error {
	switch {
	case t.mode == Latest:
		return w.pollLatest(ctx, market, t)
	case t.cursor == "":
		return w.pollSnapshot(ctx, market)
	}
	err := w.pollTape(ctx, market, t)
	if CodeOf(err) == CodeCursorUnknown {
		return w.pollSnapshot(ctx, market)
	}
	return err
}

func (w *watch) pollTape(ctx context.Context, market string, t *track) error {
	for {
		var page struct {
			Events []json.RawMessage `json:"events"`
		}
		query := url.Values{"after": {t.cursor}, "limit": {fmt.Sprint(pageSize)}}
		if err := w.ask(ctx, market, "/tape?"+query.Encode(), &page); err != nil {
			return err
		}
		received := time.Now()
		if len(page.Events) == 0 && !t.acknowledged {
			err := w.accept(Frame{Op: OpSubscribed, Event: Event{Market: market, Seq: t.seq, Cursor: t.cursor}, Received: received})
			if err != nil {
				return err
			}
		}
		for _, event := range page.Events {
			if err := w.take(event, received); err != nil {
				return err
			}
		}
		t.acknowledged = true
		if len(page.Events) < pageSize {
			return nil
		}
	}
}

func (w *watch) pollSnapshot(ctx context.Context, market string) error {
	var state Market
	if err := w.ask(ctx, market, "", &state); err != nil {
		return err
	}
	return w.snapshot(state)
}

func (w *watch) snapshot(state Market) error {
	return w.accept(Frame{
		Op: OpSnapshot, Event: Event{Market: state.Slug, Seq: state.Version, Cursor: state.Cursor}, State: &state, Received: time.Now(),
	})
}

// pollLatest takes the prices of now. A version that goes back, or has another hash, is of
// another history.
func (w *watch) pollLatest(ctx context.Context, market string, t *track) error {
	var state Market
	if err := w.ask(ctx, market, "", &state); err != nil {
		return err
	}
	switch {
	case !t.acknowledged, state.Version < t.seq, state.Version == t.seq && t.cursor != state.Cursor:
		t.acknowledged = true
		return w.snapshot(state)
	case state.Version == t.seq:
		return nil
	}
	t.cursor = state.Cursor
	return w.accept(Frame{
		Op: OpQuote, Event: Event{Market: market, Seq: state.Version, Prices: state.Prices}, Received: time.Now(),
	})
}

// ask reads something of a market. While the answer does not come, what there is grows stale.
func (w *watch) ask(ctx context.Context, market, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	answer := make(chan error, 1)
	go func() {
		answer <- w.client.call(ctx, http.MethodGet, "/api/v1/markets/"+url.PathEscape(market)+path, nil, nil, into)
	}()
	var err error
	select {
	case err = <-answer:
	case <-time.After(silence):
		w.tell(Stale)
		err = <-answer
	}
	if err == nil {
		w.resumed()
	}
	return err
}
