package server

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

const day = 24 * time.Hour

// listKeys handles GET /api/v1/keys: the caller's API keys.
func (s *Server) listKeys(c echo.Context) error {
	keys, err := s.db.Keys(c.Request().Context(), accountOf(c).Ref())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct {
		Keys []db.Key `json:"keys"`
	}{keys})
}

// createKey handles POST /api/v1/keys. The answer is the only one that has the key.
func (s *Server) createKey(c echo.Context) error {
	var request struct {
		Name    string   `json:"name"`
		Scopes  []string `json:"scopes"`
		Days    int      `json:"days"`
		Current string   `json:"current"` // the password
	}
	if err := decode(c, &request, db.InvalidRequest); err != nil {
		return err
	}
	if request.Days < 0 || request.Days > 3660 {
		return db.Errorf(db.InvalidRequest, "days must be a whole number from 1 to 3660, or left out: the key then lasts")
	}
	if err := s.confirmOwner(c, request.Current); err != nil {
		return err
	}
	key, id, err := s.db.CreateKey(c.Request().Context(), accountOf(c).Ref(), request.Name, request.Scopes, time.Duration(request.Days)*day)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, struct {
		ID  int64  `json:"id"`
		Key string `json:"key"`
	}{id, key})
}

// deleteKey handles DELETE /api/v1/keys/{id}.
func (s *Server) deleteKey(c echo.Context) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	ended, err := s.db.RevokeKey(c.Request().Context(), accountOf(c).Ref(), id)
	if err != nil {
		return err
	}
	s.passes.withdraw(ended)
	return c.NoContent(http.StatusNoContent)
}
