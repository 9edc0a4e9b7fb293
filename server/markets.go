package server

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

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
	return c.JSON(http.StatusOK, list)
}

// marketsOf reads the page of markets that a query string asks for.
func (s *Server) marketsOf(c echo.Context) (marketList, error) {
	limit, err := whole(c, "limit", 1, 200, 50)
	if err != nil {
		return marketList{}, err
	}
	markets, next, err := s.db.Markets(c.Request().Context(), db.MarketFilter{
		Status: c.QueryParam("status"), Category: c.QueryParam("category"), Query: c.QueryParam("q"),
		Sort: c.QueryParam("sort"), Cursor: c.QueryParam("cursor"), Limit: limit,
	})
	list := marketList{Markets: markets}
	if next != "" {
		list.Next = &next
	}
	return list, err
}

// createMarket handles POST /api/v1/markets: the caller declares a market and funds it.
func (s *Server) createMarket(c echo.Context) error {
	var declared db.NewMarket
	if err := decode(c, &declared, db.InvalidRequest); err != nil {
		return err
	}
	declared.Account = accountOf(c).Handle
	market, err := s.db.CreateMarket(c.Request().Context(), declared)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/markets/"+market.Slug)
	return c.JSON(http.StatusCreated, market)
}

// getMarket handles GET /api/v1/markets/{slug}?min_version=. The ETag is the cursor: as long as no
// event has happened, there is nothing new to send.
func (s *Server) getMarket(c echo.Context) error {
	ctx, slug := c.Request().Context(), c.Param("slug")
	var market db.Market
	var err error
	if text := c.QueryParam("min_version"); text != "" {
		version, malformed := strconv.ParseInt(text, 10, 64)
		if malformed != nil || version < 0 {
			return db.Errorf(db.InvalidRequest, "min_version must be a whole number")
		}
		market, err = s.marketFrom(ctx, slug, version)
	} else {
		market, err = s.db.Market(ctx, slug)
	}
	if err != nil {
		return err
	}
	etag := `"` + market.Cursor + `"`
	c.Response().Header().Set("Cache-Control", "no-cache")
	c.Response().Header().Set("ETag", etag)
	if matches(c.Request().Header.Get("If-None-Match"), etag) {
		return c.NoContent(http.StatusNotModified)
	}
	return c.JSON(http.StatusOK, market)
}

// marketFrom finds a market no older than a version: at once if the table has it, even while the
// tape is late. Otherwise it waits for the tape of this node, and then for the table again, since a
// commit can reach the tape before other sessions see its rows.
// Errors: NotFound, Unavailable when it takes too long.
func (s *Server) marketFrom(ctx context.Context, slug string, version int64) (db.Market, error) {
	market, err := s.db.Market(ctx, slug)
	if err != nil || market.Version >= version {
		return market, err
	}
	bounded, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	if s.hub.WaitFor(bounded, slug, version) != nil {
		return db.Market{}, notYet(ctx, slug, version)
	}
	for pause := firstLook; market.Version < version; pause = min(2*pause, lastLook) {
		if market, err = s.db.Market(ctx, slug); err != nil || market.Version >= version {
			break
		}
		select {
		case <-bounded.Done():
			return db.Market{}, notYet(ctx, slug, version)
		case <-time.After(pause):
		}
	}
	return market, err
}

func notYet(ctx context.Context, slug string, version int64) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return db.Errorf(db.Unavailable, "version %d of %s has not arrived here yet", version, slug)
}

// Pauses between looks at a table that is behind the tape.
const (
	firstLook = 2 * time.Millisecond
	lastLook  = 100 * time.Millisecond
)

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
	market, err := s.db.Market(c.Request().Context(), c.Param("slug"))
	if err != nil {
		return err
	}
	list, err := s.db.History(c.Request().Context(), market.Slug, from, to, points)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct {
		Market   string     `json:"market"`
		Outcomes []string   `json:"outcomes"`
		Points   []db.Point `json:"points"`
	}{market.Slug, market.Outcomes, list})
}
