package server

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

// getAccount handles GET /api/v1/accounts/{handle}: what everybody may know of somebody.
func (s *Server) getAccount(c echo.Context) error {
	account, err := s.db.Account(c.Request().Context(), c.Param("handle"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, account)
}

// getPortfolio handles GET /api/v1/portfolio: what the caller has.
func (s *Server) getPortfolio(c echo.Context) error {
	account := accountOf(c)
	positions, err := s.positions(c.Request().Context(), account.Handle)
	if err != nil {
		return err
	}
	return answerWith(c, positions.How, struct {
		Account   db.Account    `json:"account"`
		Positions []db.Position `json:"positions"`
	}{account, positions.Value})
}
