package server

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/errgroup"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/static"
)

const (
	dayPoints  = 60 // of a market's line in the list
	daysAtOnce = 4  // histories that one page reads from the database
)

// daily is what became of a market's leading price in the last 24 hours, drawn and in words.
type daily struct {
	Line   string `json:"line"` // a path in a box of 100 by 28
	Change string `json:"change"`
}

// listPage handles GET /: the markets that the query string asks for.
func (s *Server) listPage(c echo.Context) error {
	account, err := s.visitor(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	found, err := s.marketsOf(c)
	if err != nil {
		return err
	}
	list := found.Value
	days, err := s.daysOf(ctx, list.Markets)
	if err != nil {
		return err
	}
	categories, err := s.categories(ctx)
	if err != nil {
		return err
	}
	query := map[string]string{}
	for _, name := range []string{"q", "status", "category", "sort"} {
		if value := c.QueryParam(name); value != "" {
			query[name] = value
		}
	}
	return render(c, http.StatusOK, "list", struct {
		Account    *db.Account       `json:"account"`
		Query      map[string]string `json:"query"`
		Categories []string          `json:"categories"`
		Days       map[string]daily  `json:"days"`
		marketList
	}{account, query, categories, days, list})
}

// daysOf reads what became of markets since yesterday.
func (s *Server) daysOf(ctx context.Context, markets []db.Market) (map[string]daily, error) {
	days := make([]daily, len(markets))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(daysAtOnce)
	for i := range markets {
		group.Go(func() (err error) {
			days[i], err = s.dayOf(ctx, &markets[i])
			if err != nil && ctx.Err() == nil && db.CodeOf(err) == db.Internal {
				s.log.Error("a market's day cannot be drawn", "market", markets[i].Slug, "err", err)
				return nil // the list is worth more than one line of it
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	bySlug := make(map[string]daily, len(markets))
	for i, m := range markets {
		bySlug[m.Slug] = days[i]
	}
	return bySlug, nil
}

func (s *Server) dayOf(ctx context.Context, m *db.Market) (daily, error) {
	now := time.Now()
	from := now.Add(-24 * time.Hour)
	points, err := s.pricesOf(ctx, m, &from, nil, dayPoints)
	if err != nil || len(points) == 0 {
		return daily{}, err
	}
	if m.CreatedAt.After(from) {
		from = m.CreatedAt
	}
	lead := byPrice(m)[0]
	low, high := sparkScale(points, []int{lead})
	change, err := static.Change(string(points[0].Prices[lead]), string(m.Prices[lead]))
	return daily{sparkPath(points, lead, box{100, 28, from, now}, low, high), change}, err
}
