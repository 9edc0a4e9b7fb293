package server

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
)

// tapePage is events in order, as the sockets have them, and the cursor to go on from.
type tapePage struct {
	Market string            `json:"market"`
	Events []json.RawMessage `json:"events"`
	Next   string            `json:"next"`

	version int64 // of the market, that a timeline is not older than
}

// getTape handles GET /api/v1/markets/{slug}/tape: ?after=<cursor>&limit= gives the events behind
// a cursor, from the first one without, and ?latest= so many of the newest.
func (s *Server) getTape(c echo.Context) error {
	ctx, slug, after := c.Request().Context(), c.Param("slug"), c.QueryParam("after")
	limit, err := whole(c, "limit", 1, 1000, 100)
	if err != nil {
		return err
	}
	latest, err := whole(c, "latest", 1, 1000, 0)
	if err != nil {
		return err
	}
	if latest > 0 && after != "" {
		return db.Errorf(db.InvalidRequest, "give after or latest, not both")
	}
	var events []tape.Event
	if latest > 0 {
		events, err = s.db.TapeLatest(ctx, slug, latest)
	} else {
		events, err = s.db.TapeAfter(ctx, slug, after, limit)
	}
	if err != nil {
		return withSnapshot(err, slug)
	}
	return c.JSONBlob(http.StatusOK, s.texts.page(slug, after, events).text())
}

// page is events as a page of a tape.
func (t *texts) page(slug, after string, events []tape.Event) tapePage {
	page := tapePage{Market: slug, Events: make([]json.RawMessage, len(events)), Next: after}
	for i, e := range events {
		page.Events[i] = eventFrame(t.readable(e))
		page.Next = e.Head().String()
	}
	return page
}

// text is the page as JSON, and a line feed. An encoder would write the events with other escapes than
// those in which they are sent, and were hashed.
func (p tapePage) text() []byte {
	text := append([]byte(`{"market":`), encode(p.Market)...)
	text = append(text, `,"events":[`...)
	for i, event := range p.Events {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, event...)
	}
	text = append(text, `],"next":`...)
	text = append(text, encode(p.Next)...)
	return append(text, "}\n"...)
}

// withSnapshot tells the owner of an unknown cursor where to start again.
func withSnapshot(err error, slug string) error {
	var e *db.Error
	if !errors.As(err, &e) || e.Code != db.CursorUnknown {
		return err
	}
	told := *e
	told.Detail = encode(map[string]string{"snapshot": "/api/v1/markets/" + slug})
	return &told
}
