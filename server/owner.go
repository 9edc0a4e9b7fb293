package server

import (
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

// freshFor is how long a sign-in shows that its owner is there.
const freshFor = 10 * time.Minute

// confirmOwner refuses whoever only has somebody's browser. What lets somebody in for longer than the
// session lasts (a key, a linked identity, a link for somebody else, a role) needs the password, or a
// sign-in of the last minutes. An account that has neither password nor identity is its browser.
// Errors: NotConfirmed when nothing was shown, NotPermitted when the password is wrong.
func (s *Server) confirmOwner(c echo.Context, secret string) error {
	ctx, handle := c.Request().Context(), accountOf(c).Handle
	ways, err := s.db.WaysIn(ctx, handle)
	if err != nil {
		return err
	}
	if ways.Password && secret != "" {
		return s.confirmPassword(c, handle, secret)
	}
	if fresh, err := s.isFresh(c); err != nil || fresh {
		return err
	}
	switch {
	case ways.Password:
		return &db.Error{
			Code: db.NotConfirmed, Message: "this needs your password", Hint: "send it as current, or sign in again and ask within 10 minutes",
			Detail: encode(map[string]bool{"password": true}),
		}
	case ways.Issuer != "":
		return &db.Error{
			Code: db.NotConfirmed, Message: "this needs a sign-in of the last 10 minutes", Hint: "sign out, sign in again, and repeat it",
			Detail: encode(map[string]bool{"password": false}),
		}
	}
	return nil
}

// confirmChange is confirmOwner for a new password: the old one is asked for, however fresh the session.
func (s *Server) confirmChange(c echo.Context, secret string) error {
	ways, err := s.db.WaysIn(c.Request().Context(), accountOf(c).Handle)
	switch {
	case err != nil:
		return err
	case ways.Password:
		return s.confirmPassword(c, accountOf(c).Handle, secret)
	}
	return s.confirmOwner(c, "")
}

// isFresh tells whether the caller's session began just now.
func (s *Server) isFresh(c echo.Context) (bool, error) {
	token, _ := sessionOf(c)
	sessions, err := s.db.Sessions(c.Request().Context(), accountOf(c).Handle, token)
	if err != nil || len(sessions) == 0 {
		return false, err
	}
	return sessions[0].Current && time.Since(sessions[0].CreatedAt) < freshFor, nil // the current one is first
}

// confirmPassword refuses another password than the account's, if it has one.
// Errors: NotPermitted, TooManyRequests.
func (s *Server) confirmPassword(c echo.Context, handle, secret string) error {
	if err := s.limitGuesses(c, handle); err != nil {
		return err
	}
	ctx := s.inLane(c, handle)
	phc, err := s.db.Credential(ctx, handle)
	if err != nil || phc == "" {
		return err
	}
	right, _, err := s.hasher.Check(ctx, secret, phc)
	if err != nil {
		return busy(err)
	}
	if !right {
		return db.Errorf(db.NotPermitted, "the current password is wrong")
	}
	return nil
}
