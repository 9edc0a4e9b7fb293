package server

import (
	"bytes"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/static"
)

const pageEvents = 50 // of a market, on its page

// marketPage handles GET /m/{slug}. The events are read first, and the state waits for the last of
// them. So it needs no min_version: a receipt is given when its commit is visible, to all sessions
// of the one Postgres, and a writer's page is never older than what it has written.
func (s *Server) marketPage(c echo.Context) error {
	account, err := s.visitor(c)
	if err != nil {
		return err
	}
	ctx, slug := c.Request().Context(), c.Param("slug")
	events, err := s.db.TapeLatest(ctx, slug, pageEvents)
	if err != nil {
		return err
	}
	view, err := s.marketFrom(ctx, slug, events[len(events)-1].Seq)
	if err != nil {
		return err
	}
	part, err := s.tabOf(c, c.Param("tab"))
	if err != nil {
		return err
	}
	newest := s.texts.page(slug, "", events).Events
	slices.Reverse(newest)
	return render(c, http.StatusOK, "market", struct {
		Account *db.Account `json:"account"`
		Market  db.Market   `json:"market"`
		Trades  any         `json:"trades"`
		Origin  string      `json:"origin"`
		Tab     string      `json:"tab"`
		Part    *tab        `json:"part"`
	}{account, view.Market, newest, origin(c), c.Param("tab"), part})
}

// errorPage says what went wrong instead of a page. Without a database nobody is signed in, and who
// asks too much is not looked up in it. An edge has none.
func (s *Server) errorPage(c echo.Context, status int, e *db.Error) error {
	var account *db.Account
	if s.db != nil && e.Code != db.Unavailable && e.Code != db.Internal && e.Code != db.TooManyRequests {
		account, _ = s.visitor(c)
	}
	type told struct {
		Status int    `json:"status"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
		Hint   string `json:"hint"`
	}
	return render(c, status, "error", struct {
		Account *db.Account `json:"account"`
		Error   told        `json:"error"`
	}{account, told{status, http.StatusText(status), e.Message, e.Hint}})
}

func render(c echo.Context, status int, page string, state any) error {
	var html bytes.Buffer
	if err := static.Render(&html, page, framedFor(c, state)); err != nil {
		return err
	}
	tellScripts(c)
	// What is somebody's is kept nowhere, lest Back shows it to whoever comes after; the rest may be, if
	// it is asked about each time.
	if !isPersonal(c) {
		c.Response().Header().Set("Cache-Control", "no-cache")
	}
	return c.HTMLBlob(status, html.Bytes())
}
