package server

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server/cache"
)

const idempotencyHeader = "Idempotency-Key"

// getQuote handles GET /api/v1/markets/{slug}/quote?outcome=&side=&shares=|spend=.
func (s *Server) getQuote(c echo.Context) error {
	shares, err := decimal(c, "shares")
	if err != nil {
		return err
	}
	spend, err := decimal(c, "spend")
	if err != nil {
		return err
	}
	quote, err := s.quote(c.Request().Context(), db.Order{
		Market: c.Param("slug"), Outcome: c.QueryParam("outcome"), Side: c.QueryParam("side"), Shares: shares, Spend: spend,
	})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, quote)
}

// createTrade handles POST /api/v1/markets/{slug}/trades. It writes, through the queue that makes
// batches of what gathers, and answers; whoever watches the market hears of the trade from the tape,
// as they would of one made in psql.
func (s *Server) createTrade(c echo.Context) error {
	var order db.Order
	if err := decode(c, &order, db.InvalidOrder); err != nil {
		return err
	}
	if order.Market != "" && order.Market != c.Param("slug") {
		return db.Errorf(db.InvalidOrder, "the order is for the market %s, the address is that of %s", order.Market, c.Param("slug"))
	}
	account := accountOf(c)
	order.Account, order.Market = account.Ref(), c.Param("slug")
	order.IdempotencyKey = c.Request().Header.Get(idempotencyHeader)
	if order.IdempotencyKey == "" {
		return &db.Error{
			Code: db.InvalidRequest, Message: "the header " + idempotencyHeader + " is missing",
			Hint: "make up a key for each order, and send it again with each repetition: then it trades once",
		}
	}
	receipt, err := s.orders.Trade(c.Request().Context(), order)
	if err != nil {
		return s.unlessLeft(account, err)
	}
	// The tape will bring it. Until it does, whoever has this receipt must not be answered from before it.
	s.reads.Wrote(cache.Market(receipt.Market), cache.Markets, cache.Account(receipt.Account))
	if receipt.Replayed {
		return c.JSON(http.StatusOK, receipt)
	}
	return c.JSON(http.StatusCreated, receipt)
}

// unlessLeft is the error of an order, or, when the caller's account is nobody's any more, which this
// node may not have heard of, that nobody is signed in.
func (s *Server) unlessLeft(account db.Account, err error) error {
	var refused *db.Error
	var detail struct {
		Account string `json:"account"`
	}
	if !errors.As(err, &refused) || refused.Code != db.NotFound || json.Unmarshal(refused.Detail, &detail) != nil || detail.Account != account.Ref() {
		return err
	}
	s.passes.forgetAccount(account.ID)
	return notSignedIn()
}
