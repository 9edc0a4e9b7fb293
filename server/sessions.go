package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/fairqueue"
	"github.com/pgtape/pgtape/password"
)

const (
	sessionCookie = "pgtape_session"
	sessionLife   = 30 * 24 * time.Hour
)

// SignUp says who gets an account by HTTP, and how people sign in.
type SignUp string

// The policies.
const (
	Handle SignUp = "handle" // whoever chooses a handle is signed in as it, unless it has a password, an identity or a role
	Open   SignUp = "open"   // everybody may sign up
	Invite SignUp = "invite" // whoever has an invite may
	Closed SignUp = "closed" // nobody may
	OIDC   SignUp = "oidc"   // whoever the provider knows may
)

// newSession is what a browser shows to be let in.
type newSession struct {
	Handle    string `json:"handle"`
	Password  string `json:"password"`
	New       *bool  `json:"new"` // sign up, or sign in; nil: whichever the handle allows
	Invite    string `json:"invite"`
	Link      string `json:"link"`       // for whoever has no password yet, or no longer
	EndAccess bool   `json:"end_access"` // with link: what else lets somebody in ends
	Provider  bool   `json:"provider"`   // sign up as who the provider has said
}

// createSession handles POST /api/v1/session: it signs a browser in, and people up.
func (s *Server) createSession(c echo.Context) error {
	var request newSession
	if err := decode(c, &request, db.InvalidRequest); err != nil {
		return err
	}
	if isReference(request.Handle) {
		return db.Errorf(db.InvalidRequest, "a handle begins with a letter or digit")
	}
	if request.Link == "" && !request.Provider {
		if err := s.limitGuesses(c, request.Handle); err != nil {
			return err
		}
	}
	s.withClient(c, request.Handle)
	enter := s.enter
	switch {
	case request.Link != "":
		enter = s.enterByLink
	case request.Provider:
		enter = s.enterByProvider
	}
	token, account, err := enter(c, request)
	if err != nil {
		return err
	}
	if err := s.replaceSession(c, token, account); err != nil {
		return err
	}
	s.remember(c, account)
	return c.JSON(http.StatusCreated, account)
}

// enter signs in or up with a handle and a password, or as little as the policy asks for.
func (s *Server) enter(c echo.Context, r newSession) (token string, account db.Account, err error) {
	ctx := c.Request().Context()
	isNew := r.New != nil && *r.New
	if r.New == nil && s.mayBeNew(r) {
		_, err := s.db.Account(ctx, r.Handle)
		isNew = db.CodeOf(err) == db.NotFound
	}
	if !isNew {
		return s.signIn(c, r)
	}
	return s.createAccount(ctx, r, deviceLabel(c))
}

// mayBeNew tells whether the policy would let a handle without an account sign up.
func (s *Server) mayBeNew(r newSession) bool {
	return s.signUp == Handle || s.signUp == Open || s.signUp == Invite && r.Invite != ""
}

func (s *Server) signIn(c echo.Context, r newSession) (token string, account db.Account, err error) {
	ctx := c.Request().Context()
	if s.signUp == Handle && r.Password == "" {
		return s.db.EnterByHandle(ctx, r.Handle, deviceLabel(c))
	}
	phc, right, outdated, err := s.checkPassword(ctx, r.Handle, r.Password)
	if err != nil {
		return "", account, err
	}
	if !right {
		return "", account, &db.Error{
			Code: db.NotSignedIn, Message: "the handle or the password is wrong", Hint: "an admin can give you a link to set a new password",
		}
	}
	token, account, err = s.db.CreateSession(ctx, r.Handle, deviceLabel(c), db.Shown{PHC: phc})
	if err == nil && outdated {
		s.renew(ctx, r, phc)
	}
	return token, account, err
}

// checkPassword tells whether a password is the account's, and what it comes to. Only the database knows
// what it must come to.
func (s *Server) checkPassword(ctx context.Context, handle, secret string) (phc string, right, outdated bool, err error) {
	salt, err := s.db.Credential(ctx, handle)
	if err != nil {
		return "", false, false, err
	}
	for i, spelled := range password.Spellings(secret) {
		phc, outdated, err = s.hasher.Again(ctx, spelled, salt)
		if err != nil {
			return "", false, false, busy(err)
		}
		if right, err = s.db.IsPassword(ctx, handle, phc); right || err != nil {
			return phc, right, outdated || i > 0, err
		}
	}
	return phc, false, outdated, nil
}

// renew hashes a password again that was hashed by other parameters. Failing does no harm.
func (s *Server) renew(ctx context.Context, r newSession, before string) {
	after, err := s.hasher.Hash(ctx, r.Password)
	if err == nil {
		err = s.db.RenewCredential(ctx, r.Handle, before, after)
	}
	if err != nil {
		s.log.Warn("a password keeps its old hash", "account", r.Handle, "err", err)
	}
}

// createAccount signs somebody up, if the policy lets them, and the browser of that label in.
func (s *Server) createAccount(ctx context.Context, r newSession, label string) (token string, account db.Account, err error) {
	switch {
	case s.signUp == OIDC:
		return "", account, &db.Error{Code: db.NotPermitted, Message: "new accounts are made with " + s.oidc.name(), Hint: "go to /signin"}
	case s.signUp == Invite && r.Invite == "":
		return "", account, &db.Error{Code: db.NotPermitted, Message: "new accounts need an invite", Hint: "ask somebody who runs markets here for a link"}
	case !s.mayBeNew(r):
		return "", account, &db.Error{Code: db.NotPermitted, Message: "there are no new accounts here", Hint: "ask an admin"}
	}
	var phc string
	if r.Password != "" {
		if phc, err = s.hash(ctx, r.Password, r.Handle); err != nil {
			return "", account, err
		}
	}
	return s.db.SignUpIn(ctx, db.SignUp{Handle: r.Handle, PHC: phc, Invite: r.Invite}, label)
}

// hash makes the PHC string of a password that is to be somebody's.
func (s *Server) hash(ctx context.Context, secret, handle string) (string, error) {
	if fault := password.Fault(secret, handle); fault != "" {
		return "", db.Errorf(db.InvalidRequest, "%s", fault)
	}
	phc, err := s.hasher.Hash(ctx, secret)
	return phc, busy(err)
}

// busy is what waiting in vain for a turn to hash is to a caller.
func busy(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, fairqueue.ErrBusy) {
		return &db.Error{
			Code: db.Unavailable, Message: "too many are signing in from your network, or in all, at the moment: your password was not looked at",
			Hint: "try again in a few seconds; a browser that has signed in to the account before waits in a line of its own",
		}
	}
	return err
}

// enterByLink sets a password and signs in, once for each link.
func (s *Server) enterByLink(c echo.Context, r newSession) (token string, account db.Account, err error) {
	ctx := c.Request().Context()
	handle, err := s.db.LinkAccount(ctx, r.Link)
	if err != nil {
		return "", account, err
	}
	phc := ""
	if handle != "" {
		if phc, err = s.hash(ctx, r.Password, handle); err != nil {
			return "", account, err
		}
	}
	token, ended, err := s.db.UseSignInLink(ctx, r.Link, phc, deviceLabel(c), r.EndAccess)
	if err != nil {
		return "", account, err
	}
	s.passes.withdraw(ended...)
	account, err = s.db.Account(ctx, handle)
	return token, account, err
}

// replaceSession gives the browser a token, and ends the session that it had.
func (s *Server) replaceSession(c echo.Context, token string, account db.Account) error {
	if err := s.endSession(c); err != nil {
		return err
	}
	setSessionCookie(c, token, account)
	return nil
}

func (s *Server) endSession(c echo.Context) error {
	token, given := sessionOf(c)
	if !given {
		return nil
	}
	if err := s.db.DeleteSession(c.Request().Context(), token); err != nil {
		return err
	}
	s.passes.withdraw(db.Hash(db.TokenHash(token)))
	return nil
}

// getSession handles GET /api/v1/session: who am I?
func (s *Server) getSession(c echo.Context) error {
	return c.JSON(http.StatusOK, accountOf(c))
}

// deleteSession handles DELETE /api/v1/session. Who is not signed in stays so.
func (s *Server) deleteSession(c echo.Context) error {
	if err := s.endSession(c); err != nil {
		return err
	}
	forgetSessionCookie(c)
	return c.NoContent(http.StatusNoContent)
}

// setSessionCookie gives the browser a token, and tells its scripts of whom.
func setSessionCookie(c echo.Context, token string, of db.Account) {
	setCookie(c, sessionCookie, token, sessionLife)
	setAccountCookie(c, nameOf(of), sessionLife)
}

func forgetSessionCookie(c echo.Context) {
	setCookie(c, sessionCookie, "", -1)
	setAccountCookie(c, "", -1)
}

// setCookie gives the browser a cookie that no script reads, or, with a negative life, takes it away.
func setCookie(c echo.Context, name, value string, life time.Duration) {
	cookie := newCookie(c, name, value, life)
	cookie.HttpOnly = true
	c.SetCookie(cookie)
}

// setAccountCookie sets the one cookie that scripts read.
func setAccountCookie(c echo.Context, name string, life time.Duration) {
	c.SetCookie(newCookie(c, accountCookie, name, life))
}

func newCookie(c echo.Context, name, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second),
		SameSite: http.SameSiteLaxMode, Secure: c.Scheme() == "https",
	}
}
