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
	ctx, account := c.Request().Context(), accountOf(c).Ref()
	ways, err := s.db.WaysIn(ctx, account)
	if err != nil {
		return err
	}
	if ways.Password && secret != "" {
		return s.confirmPassword(c, secret)
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
	ways, err := s.db.WaysIn(c.Request().Context(), accountOf(c).Ref())
	switch {
	case err != nil:
		return err
	case ways.Password:
		return s.confirmPassword(c, secret)
	}
	return s.confirmOwner(c, "")
}

// isFresh tells whether the caller's session began just now.
func (s *Server) isFresh(c echo.Context) (bool, error) {
	token, _ := sessionOf(c)
	sessions, err := s.db.Sessions(c.Request().Context(), accountOf(c).Ref(), token)
	if err != nil || len(sessions) == 0 {
		return false, err
	}
	return sessions[0].Current && time.Since(sessions[0].CreatedAt) < freshFor, nil // the current one is first
}

// confirmPassword refuses another password than the account's, if it has one.
// Errors: NotPermitted, TooManyRequests.
func (s *Server) confirmPassword(c echo.Context, secret string) error {
	account := accountOf(c)
	if err := s.limitGuesses(c, account.Handle); err != nil {
		return err
	}
	ctx := s.withClient(c, account.Handle)
	salt, err := s.db.Credential(ctx, account.Ref())
	if err != nil || salt == "" {
		return err
	}
	_, right, _, err := s.checkPassword(ctx, account.Ref(), secret)
	if err != nil {
		return err
	}
	if !right {
		return db.Errorf(db.NotPermitted, "the current password is wrong")
	}
	return nil
}
