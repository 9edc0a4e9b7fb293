package server

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

const (
	sessionCookie = "pgtape_session"
	sessionLife   = 30 * 24 * time.Hour
)

// createSession handles POST /api/v1/session: it signs a browser in as the handle that it chose.
func (s *Server) createSession(c echo.Context) error {
	var request struct {
		Handle string `json:"handle"`
	}
	if err := decode(c, &request, db.InvalidRequest); err != nil {
		return err
	}
	if s.signIn != Open {
		return &db.Error{
			Code: db.NotPermitted, Message: "nobody signs in here by choosing a handle",
			Hint: "ask an operator for a way in",
		}
	}
	if err := s.limitHandle(c, request.Handle); err != nil {
		return err
	}
	ctx := c.Request().Context()
	token, account, err := s.db.CreateSession(ctx, request.Handle)
	if db.CodeOf(err) == db.NotFound {
		if _, err := s.db.CreateAccount(ctx, request.Handle, ""); err != nil {
			return err
		}
		token, account, err = s.db.CreateSession(ctx, request.Handle)
	}
	if err != nil {
		return err
	}
	setSessionCookie(c, token, sessionLife)
	return c.JSON(http.StatusCreated, account)
}

// getSession handles GET /api/v1/session: who am I?
func (s *Server) getSession(c echo.Context) error {
	return c.JSON(http.StatusOK, accountOf(c))
}

// deleteSession handles DELETE /api/v1/session. Who is not signed in stays so.
func (s *Server) deleteSession(c echo.Context) error {
	if cookie, err := c.Cookie(sessionCookie); err == nil {
		if err := s.db.DeleteSession(c.Request().Context(), cookie.Value); err != nil {
			return err
		}
		s.passes.forget(cookie.Value)
	}
	setSessionCookie(c, "", -1)
	return c.NoContent(http.StatusNoContent)
}

// setSessionCookie gives the browser a token, or, with a negative life, takes it away.
func setSessionCookie(c echo.Context, token string, life time.Duration) {
	c.SetCookie(&http.Cookie{
		Name: sessionCookie, Value: token, Path: "/", MaxAge: int(life / time.Second),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: c.Scheme() == "https",
	})
}

// signedIn lets only those in who have a session; accountOf tells the handler who it is.
func (s *Server) signedIn(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		account, err := s.visitor(c)
		if err != nil {
			return err
		}
		if account == nil {
			return notSignedIn()
		}
		c.Set(accountKey, *account)
		return next(c)
	}
}

const accountKey = "account"

func accountOf(c echo.Context) db.Account {
	account, _ := c.Get(accountKey).(db.Account)
	return account
}

// visitor is who asks; nil when not signed in.
func (s *Server) visitor(c echo.Context) (*db.Account, error) {
	cookie, err := c.Cookie(sessionCookie)
	if err != nil {
		return nil, nil // no cookie
	}
	account, err := s.db.SessionAccount(c.Request().Context(), cookie.Value)
	if db.CodeOf(err) == db.NotSignedIn {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &account, nil
}
