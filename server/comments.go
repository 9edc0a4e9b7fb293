package server

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server/cache"
)

const (
	pageComments = 50 // of a market, on its page
	pageHolders  = 20 // of an outcome
)

// commentList is a page of comments, the newest first; Next is null on the last one.
type commentList struct {
	Market   string       `json:"market"`
	Comments []db.Comment `json:"comments"`
	Next     *int64       `json:"next"`

	version int64 // of the market, that it is not older than
}

// holderList is who holds most of each outcome of a market; it is not older than its version.
type holderList struct {
	Market  string      `json:"market"`
	Version int64       `json:"version"`
	Holders []db.Holder `json:"holders"`
}

// listComments handles GET /api/v1/markets/{slug}/comments?before=&limit=.
func (s *Server) listComments(c echo.Context) error {
	limit, err := whole(c, "limit", 1, 200, pageComments)
	if err != nil {
		return err
	}
	list, err := s.commentsOf(c, limit)
	if err != nil {
		return err
	}
	return answer(c, list, false)
}

// commentsOf reads the comments that an address asks for.
func (s *Server) commentsOf(c echo.Context, limit int) (list cache.Found[commentList], err error) {
	before, err := id(c.QueryParam("before"), "before")
	if err != nil {
		return list, err
	}
	return s.commentPage(c.Request().Context(), c.Param("slug"), before, limit)
}

// id reads the number of something; 0 when there is none.
func id(text, name string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, db.Errorf(db.InvalidRequest, "%s must be an id: a whole number from 1", name)
	}
	return n, nil
}

// createComment handles POST /api/v1/markets/{slug}/comments. Whoever watches the market hears of it
// from the tape, as of one made in psql.
func (s *Server) createComment(c echo.Context) error {
	var request struct {
		Body string `json:"body"`
	}
	if err := decode(c, &request, db.InvalidRequest); err != nil {
		return err
	}
	comment, err := s.db.Comment(c.Request().Context(), db.NewComment{
		Market: c.Param("slug"), Body: request.Body, Account: accountOf(c).Ref(),
		IdempotencyKey: c.Request().Header.Get("Idempotency-Key"),
	})
	if err != nil {
		return err
	}
	s.reads.Wrote(cache.Market(comment.Market), cache.Markets)
	return c.JSON(http.StatusCreated, comment)
}

// deleteComment handles DELETE /api/v1/comments/{id}?reason=: its author takes it back, or an operator
// takes it away, for a reason.
func (s *Server) deleteComment(c echo.Context) error {
	n, err := id(c.Param("id"), "the comment")
	if err != nil {
		return err
	}
	reason := c.QueryParam("reason")
	if reason != "" { // as an operator
		if err := require(c, operate); err != nil {
			return err
		}
	}
	if err := s.db.RemoveComment(c.Request().Context(), n, reason, accountOf(c).Ref()); err != nil {
		return err
	}
	s.reads.Wrote(removals)
	return c.NoContent(http.StatusNoContent)
}

// getHolders handles GET /api/v1/markets/{slug}/holders?limit=: who holds most of each outcome.
func (s *Server) getHolders(c echo.Context) error {
	ctx, slug := c.Request().Context(), c.Param("slug")
	limit, err := whole(c, "limit", 1, 1000, pageHolders)
	if err != nil {
		return err
	}
	list, err := s.holders(ctx, slug, limit)
	if err != nil {
		return err
	}
	return answer(c, list, false)
}

// getTimeline handles GET /api/v1/markets/{slug}/timeline: the events that are its life.
func (s *Server) getTimeline(c echo.Context) error {
	page, err := s.timeline(c.Request().Context(), c.Param("slug"))
	if err != nil {
		return err
	}
	return answer(c, page, false)
}
