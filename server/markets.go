package server

import (
	"context"
	"net/http"
	"strconv"
	"strings"

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
	if text := c.QueryParam("min_version"); text != "" {
		version, err := strconv.ParseInt(text, 10, 64)
		if err != nil || version < 0 {
			return db.Errorf(db.InvalidRequest, "min_version must be a whole number")
		}
		if err := s.awaitVersion(ctx, slug, version); err != nil {
			return err
		}
	}
	market, err := s.db.Market(ctx, slug)
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

// awaitVersion waits until the tape of this node has a version of a market.
// Errors: NotFound, Unavailable when it takes too long.
func (s *Server) awaitVersion(ctx context.Context, slug string, version int64) error {
	if head, _, _ := s.hub.Head(slug); head >= version {
		return nil
	}
	if _, err := s.db.Market(ctx, slug); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	if err := s.hub.WaitFor(bounded, slug, version); err != nil && ctx.Err() == nil {
		return db.Errorf(db.Unavailable, "version %d of %s has not arrived here yet", version, slug)
	}
	return ctx.Err()
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
