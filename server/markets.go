package server

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server/cache"
	"github.com/pgtape/pgtape/server/state"
)

// hotLife is how old the ranking by what was traded in the last day may be.
const hotLife = 5 * time.Second

// marketList is a page of markets; Next is null on the last one.
type marketList struct {
	Markets []db.Market `json:"markets"`
	Next    *string     `json:"next"`
}

// listMarkets handles GET /api/v1/markets?status=&category=&q=&sort=&cursor=&limit=.
func (s *Server) listMarkets(c echo.Context) error {
	list, err := s.marketsOf(c)
	if err != nil {
		return err
	}
	return answer(c, list, false)
}

// marketsOf reads the page of markets that a query string asks for.
func (s *Server) marketsOf(c echo.Context) (cache.Found[marketList], error) {
	limit, err := whole(c, "limit", 1, 200, 50)
	if err != nil {
		return cache.Found[marketList]{}, err
	}
	return s.markets(c.Request().Context(), db.MarketFilter{
		Status: c.QueryParam("status"), Category: c.QueryParam("category"), Query: c.QueryParam("q"),
		Sort: c.QueryParam("sort"), Cursor: c.QueryParam("cursor"), Limit: limit,
	})
}

// createMarket handles POST /api/v1/markets: the caller declares a market and funds it.
func (s *Server) createMarket(c echo.Context) error {
	var declared db.NewMarket
	if err := decode(c, &declared, db.InvalidRequest); err != nil {
		return err
	}
	account := accountOf(c)
	declared.Account = account.Ref()
	market, err := s.db.CreateMarket(c.Request().Context(), declared)
	if err != nil {
		return err
	}
	s.reads.Wrote(cache.Moves, cache.Markets, cache.Market(market.Slug), cache.Account(account.Handle))
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/markets/"+market.Slug)
	return c.JSON(http.StatusCreated, market)
}

// getMarket handles GET /api/v1/markets/{slug}?min_version=. The ETag is the cursor: as long as no
// event has happened, there is nothing new to send.
//
// While the tape is live the answer comes from memory. It is never older than what sockets of this
// node have been sent; a commit of this moment may still be on its way, and who knows of one asks
// for its min_version. While the tape is not live the database is asked: memory could be of any age
// then, or of a history that is no more. If it cannot answer either, nobody here knows the state.
func (s *Server) getMarket(c echo.Context) error {
	var version int64
	if c.Request().URL.RawQuery != "" {
		if text := c.QueryParam("min_version"); text != "" {
			var err error
			if version, err = strconv.ParseInt(text, 10, 64); err != nil || version < 0 {
				return db.Errorf(db.InvalidRequest, "min_version must be a whole number")
			}
		}
	}
	view, err := s.marketFrom(c.Request().Context(), c.Param("slug"), version)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-cache")
	c.Response().Header().Set("ETag", view.ETag)
	if matches(c.Request().Header.Get("If-None-Match"), view.ETag) {
		return c.NoContent(http.StatusNotModified)
	}
	return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, view.Body)
}

// getMarketState handles GET /api/v1/markets/{slug}/state: a market and all that it takes to keep it
// current by its events, for a node that does: who has ever held shares of it, both as of the same
// version. It is read from the database each time.
func (s *Server) getMarketState(c echo.Context) error {
	state, err := s.db.MarketState(c.Request().Context(), c.Param("slug"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct {
		Market  db.Market `json:"market"`
		Holders []string  `json:"holders"`
	}{state.Market, state.Holders})
}

// marketFrom finds a market no older than a version, nor than what this node has sent of it.
// Errors: NotFound, Unavailable when it takes too long.
func (s *Server) marketFrom(ctx context.Context, slug string, version int64) (*state.View, error) {
	view, current, err := s.state.Look(ctx, slug)
	if err != nil || current && view.Market.Version >= version {
		return view, err
	}
	bounded, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	if err = s.hub.WaitFor(bounded, slug, version); err == nil {
		view, err = s.state.Get(bounded, slug) // no older than the tape, and so than version
	}
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return nil, db.Errorf(db.Unavailable, "the newest version of %s has not arrived here yet", slug)
	}
	return view, err
}

// matches says whether an If-None-Match header names the tag. Weak tags are as good as strong ones here.
func matches(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// getHistory handles GET /api/v1/markets/{slug}/history?from=&to=&points=: prices over time.
func (s *Server) getHistory(c echo.Context) error {
	from, err := moment(c, "from")
	if err != nil {
		return err
	}
	to, err := moment(c, "to")
	if err != nil {
		return err
	}
	points, err := whole(c, "points", 2, 5000, 500)
	if err != nil {
		return err
	}
	view, err := s.marketFrom(c.Request().Context(), c.Param("slug"), 0)
	if err != nil {
		return err
	}
	market := &view.Market
	list, err := s.pricesOf(c.Request().Context(), market, from, to, points)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct {
		Market   string     `json:"market"`
		Outcomes []string   `json:"outcomes"`
		Points   []db.Point `json:"points"`
	}{market.Slug, market.Outcomes, list})
}

// pricesOf reads the prices of a market over time, from memory if they are remembered.
func (s *Server) pricesOf(ctx context.Context, m *db.Market, from, to *time.Time, points int) ([]db.Point, error) {
	if list, remembered := s.state.History(ctx, m, from, to, points); remembered {
		return list, nil
	}
	return s.source.History(ctx, m.Slug, from, to, points)
}
