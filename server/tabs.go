package server

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

// tab is what a tab of a market's page is drawn from. Version is one that it is not older than: who
// has heard of a later event on the tape asks again.
type tab struct {
	Version int64 `json:"version"`
	*commentList
	Holders []db.Holder `json:"holders,omitempty"`
	Events  any         `json:"events,omitempty"`
}

// marketTab handles GET /m/{slug}/{tab}: the market's page with one of its tabs open, or, with ?part,
// this tab alone. So a tab is the same for who has no scripts, and for scripts that keep it fresh.
func (s *Server) marketTab(c echo.Context) error {
	shown := c.Param("tab")
	switch shown {
	case "holders", "comments", "rules", "timeline":
	default:
		return echo.ErrNotFound
	}
	if shown == "rules" || !c.QueryParams().Has("part") { // the rules are of the market, and of no part
		return s.marketPage(c)
	}
	account, err := s.visitor(c)
	if err != nil {
		return err
	}
	view, err := s.marketFrom(c.Request().Context(), c.Param("slug"), 0)
	if err != nil {
		return err
	}
	part, err := s.tabOf(c, shown)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, "part", struct {
		Account *db.Account `json:"account"`
		Market  db.Market   `json:"market"`
		Tab     string      `json:"tab"`
		Part    *tab        `json:"part"`
	}{account, view.Market, shown, part})
}

// tabOf reads what a tab shows; nil for one that shows nothing but the market.
func (s *Server) tabOf(c echo.Context, shown string) (*tab, error) {
	ctx, slug := c.Request().Context(), c.Param("slug")
	if shown == "" || shown == "rules" {
		return nil, nil
	}
	switch shown {
	case "holders":
		list, err := s.holders(ctx, slug, pageHolders)
		return &tab{Version: list.Value.Version, Holders: list.Value.Holders}, err
	case "comments":
		list, err := s.commentsOf(c, pageComments)
		return &tab{Version: list.Value.version, commentList: &list.Value}, err
	}
	page, err := s.timeline(ctx, slug)
	return &tab{Version: page.Value.version, Events: page.Value.Events}, err
}
