package server

import (
	"context"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
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
}

// listComments handles GET /api/v1/markets/{slug}/comments?before=&limit=.
func (s *Server) listComments(c echo.Context) error {
	limit, err := whole(c, "limit", 1, 200, pageComments)
	if err != nil {
		return err
	}
	if _, err := s.db.Version(c.Request().Context(), c.Param("slug")); err != nil {
		return err
	}
	list, err := s.commentsOf(c, limit)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, list)
}

// commentsOf reads the comments that an address asks for.
func (s *Server) commentsOf(c echo.Context, limit int) (list commentList, err error) {
	before, err := id(c.QueryParam("before"), "before")
	if err != nil {
		return list, err
	}
	list.Market = c.Param("slug")
	list.Comments, err = s.db.Comments(c.Request().Context(), list.Market, before, limit+1)
	if len(list.Comments) > limit {
		list.Comments = list.Comments[:limit]
		list.Next = &list.Comments[limit-1].ID
	}
	return list, err
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
		Market: c.Param("slug"), Body: request.Body, Account: accountOf(c).Handle,
		IdempotencyKey: c.Request().Header.Get("Idempotency-Key"),
	})
	if err != nil {
		return err
	}
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
	if err := s.db.RemoveComment(c.Request().Context(), n, reason, accountOf(c).Handle); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// getHolders handles GET /api/v1/markets/{slug}/holders?limit=: who holds most of each outcome.
func (s *Server) getHolders(c echo.Context) error {
	ctx, slug := c.Request().Context(), c.Param("slug")
	limit, err := whole(c, "limit", 1, 1000, pageHolders)
	if err != nil {
		return err
	}
	version, err := s.db.Version(ctx, slug)
	if err != nil {
		return err
	}
	holders, err := s.db.Holders(ctx, slug, limit)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct {
		Market  string      `json:"market"`
		Version int64       `json:"version"`
		Holders []db.Holder `json:"holders"`
	}{slug, version, holders})
}

// getTimeline handles GET /api/v1/markets/{slug}/timeline: the events that are its life.
func (s *Server) getTimeline(c echo.Context) error {
	slug := c.Param("slug")
	page, err := s.timelineOf(c.Request().Context(), slug)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, page)
}

func (s *Server) timelineOf(ctx context.Context, slug string) (page tapePage, err error) {
	if _, err := s.db.Version(ctx, slug); err != nil {
		return page, err
	}
	events, err := s.db.Timeline(ctx, slug)
	return newTapePage(slug, "", events), err
}
