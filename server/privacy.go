package server

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

// leaveWithin is what deleting an account may take: its tapes are written again, 70,000 events a second.
const leaveWithin = 5 * time.Minute

// exportAccount handles GET /api/v1/account/export: all that is kept of the caller.
func (s *Server) exportAccount(c echo.Context) error {
	export, err := s.db.ExportAccount(c.Request().Context(), accountOf(c).Ref())
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="pgtape-account.json"`)
	return c.JSONBlob(http.StatusOK, export)
}

// deleteAccount handles DELETE /api/v1/account. Who lost the answer and asks again is not signed in.
func (s *Server) deleteAccount(c echo.Context) error {
	var request struct {
		Handle   string `json:"handle"`
		Password string `json:"password"`
	}
	if err := decode(c, &request, db.InvalidRequest); err != nil {
		return err
	}
	account := accountOf(c)
	if err := s.confirmPassword(c, request.Password); err != nil {
		return err
	}
	// It is not given up half-way because its caller has gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), leaveWithin)
	defer cancel()
	_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(leaveWithin + writeWithin))
	gone, err := s.db.DeleteAccount(ctx, account.Ref(), request.Handle)
	if err != nil {
		return err
	}
	s.passes.forgetAccount(account.ID)
	s.board.drop()
	s.reads.Forget() // the name goes from everything; other nodes hear of it when heads are compared
	forgetSessionCookie(c)
	return c.JSON(http.StatusOK, struct {
		Account string `json:"account"` // what the book calls it now
	}{gone})
}
