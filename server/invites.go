package server

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

// listInvites handles GET /api/v1/invites.
func (s *Server) listInvites(c echo.Context) error {
	invites, err := s.db.Invites(c.Request().Context(), accountOf(c).Ref())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct {
		Invites []db.Invite `json:"invites"`
	}{invites})
}

// createInvite handles POST /api/v1/invites. The answer is the only one that has the code.
func (s *Server) createInvite(c echo.Context) error {
	request := struct {
		Uses    int     `json:"uses"`
		Days    int     `json:"days"`
		Role    db.Role `json:"role"`
		Current string  `json:"current"` // the password
	}{1, 7, db.Trader, ""}
	if err := decode(c, &request, db.InvalidRequest); err != nil {
		return err
	}
	if request.Days < 1 || request.Days > 366 {
		return db.Errorf(db.InvalidRequest, "days must be a whole number from 1 to 366")
	}
	if request.Role != db.Trader {
		if err := s.confirmOwner(c, request.Current); err != nil {
			return err
		}
	}
	code, id, expires, err := s.db.CreateInvite(c.Request().Context(),
		db.NewInvite{Uses: request.Uses, Life: time.Duration(request.Days) * day, Role: request.Role}, accountOf(c).Ref())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, struct {
		ID        int64     `json:"id"`
		Code      string    `json:"code"`
		Link      string    `json:"link"`
		ExpiresAt time.Time `json:"expires_at"`
	}{id, code, origin(c) + "/signup#invite=" + code, expires})
}

// deleteInvite handles DELETE /api/v1/invites/{id}.
func (s *Server) deleteInvite(c echo.Context) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	if err := s.db.RevokeInvite(c.Request().Context(), id, accountOf(c).Ref()); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
