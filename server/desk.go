package server

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server/cache"
)

// getMoves handles GET /api/v1/markets/{slug}/moves: what the caller may do to the market now.
func (s *Server) getMoves(c echo.Context) error {
	moves, err := s.db.Moves(c.Request().Context(), c.Param("slug"), accountOf(c).Ref())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, moves)
}

// createMove handles POST /api/v1/markets/{slug}/moves: halt, open, close, propose, dispute, resolve,
// void or correct. Who may is the database's to say; everybody hears of it from the tape.
func (s *Server) createMove(c echo.Context) error {
	var asked struct {
		Move   string       `json:"move"`
		Payout []db.Decimal `json:"payout"`
		Reason string       `json:"reason"`
	}
	if err := decode(c, &asked, db.InvalidRequest); err != nil {
		return err
	}
	if accountOf(c).Role.Has(db.Operator) {
		defer s.locks.hurry()()
	}
	market, err := s.db.MoveMarket(c.Request().Context(), db.Move{
		Market: c.Param("slug"), Name: asked.Move, Payout: asked.Payout, Reason: asked.Reason, Account: accountOf(c).Ref(),
	})
	if err != nil {
		return err
	}
	s.reads.Wrote(cache.Moves, cache.Markets, cache.Market(market.Slug))
	return c.JSON(http.StatusCreated, market)
}

// getSettlement handles GET /api/v1/markets/{slug}/settlement?payout=1,0: what a payout would do,
// without one what voiding would.
func (s *Server) getSettlement(c echo.Context) error {
	var payout []db.Decimal
	if text := c.QueryParam("payout"); text != "" {
		for part := range strings.SplitSeq(text, ",") {
			n, err := db.ParseDecimal(part)
			if err != nil {
				return err
			}
			payout = append(payout, n)
		}
	}
	settlement, err := s.db.Settlement(c.Request().Context(), c.Param("slug"), payout)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, settlement)
}

// getMarketPreview handles GET /api/v1/market-preview?outcomes=&liquidity=&spend=: what a market
// would be like.
func (s *Server) getMarketPreview(c echo.Context) error {
	outcomes, err := whole(c, "outcomes", 2, 50, 2)
	if err != nil {
		return err
	}
	liquidity, err := decimal(c, "liquidity")
	if err != nil {
		return err
	}
	spend, err := decimal(c, "spend")
	if err != nil {
		return err
	}
	if spend == "" {
		spend = "10"
	}
	preview, err := s.db.MarketPreview(c.Request().Context(), outcomes, liquidity, spend)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, preview)
}

// newPage handles GET /new: the form that makes a market.
func (s *Server) newPage(c echo.Context) error {
	account, err := s.visitor(c)
	if err != nil {
		return err
	}
	preview, err := s.db.MarketPreview(c.Request().Context(), 2, "100", "10")
	if err != nil {
		return err
	}
	categories, err := s.categories(c.Request().Context())
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, "new", struct {
		Account    *db.Account `json:"account"`
		Preview    db.Preview  `json:"preview"`
		Categories []string    `json:"categories"`
	}{account, preview, categories})
}
