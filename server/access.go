package server

import (
	"context"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

// caller is who asks: an account, by a session or by an API key.
type caller struct {
	db.Account
	key    bool
	scopes []string // of the key
	slid   bool     // the session lives longer than its cookie
}

// refusal says why an access does not answer a caller; nil when it does.
func (a access) refusal(who caller) error {
	switch {
	case who.key && a.scope == "":
		return &db.Error{
			Code: db.NotPermitted, Message: "an API key cannot do this", Hint: "sign in with a browser",
		}
	case who.key && !slices.Contains(who.scopes, string(a.scope)):
		return &db.Error{
			Code: db.NotPermitted, Message: "this API key has no scope " + string(a.scope), Hint: "make one that has it: /settings",
		}
	case !who.Role.Has(a.role):
		return &db.Error{
			Code: db.NotPermitted, Message: "only " + string(a.role) + "s may do this", Hint: "an admin gives roles",
		}
	}
	return nil
}

// admit lets only those in whom the access answers; accountOf tells the handler who it is. What is
// trusted is taken from the passes, where there is a handle and a role, and no balance.
func (s *Server) admit(to access, trusted bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			who, err := s.caller(c, trusted)
			if err == nil {
				err = meant(c, who.Account)
			}
			if err == nil {
				err = to.refusal(who)
			}
			if err != nil {
				return err
			}
			if !trusted {
				c.SetRequest(c.Request().WithContext(withProof(c)))
			}
			c.Set(accountKey, who.Account)
			c.Set(callerKey, who)
			return next(c)
		}
	}
}

// withProof is the context of a request with what its caller has shown, for the database.
func withProof(c echo.Context) context.Context {
	secret, given := bearer(c)
	if !given {
		secret, _ = sessionOf(c)
	}
	return db.WithProof(c.Request().Context(), secret)
}

const callerKey = "caller"

// require refuses a key that lacks the scope of what its request comes to: a route may ask for less
// than one of its uses.
func require(c echo.Context, s scope) error {
	who, _ := c.Get(callerKey).(caller)
	return access{db.Trader, s}.refusal(who)
}

// goodKey refuses a key that is not valid where no key is needed: its owner thinks that it is.
func (s *Server) goodKey(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if _, given := bearer(c); given {
			if _, err := s.caller(c, true); err != nil {
				return err
			}
		}
		return next(c)
	}
}

// caller finds who asks: by the key, if one is given, else by the cookie.
// Errors: NotSignedIn.
func (s *Server) caller(c echo.Context, trusted bool) (caller, error) {
	secret, given := bearer(c)
	ask := s.ofKey
	if !given {
		if secret, given = sessionOf(c); !given {
			return caller{}, notSignedIn()
		}
		ask = s.ofSession
	}
	ctx := c.Request().Context()
	if trusted {
		return s.passes.caller(ctx, secret, ask)
	}
	who, err := ask(ctx, secret)
	if err != nil || who.key {
		return who, err
	}
	if who.slid {
		setSessionCookie(c, secret, who.Account)
	}
	show(c, &who.Account)
	return who, nil
}

func (s *Server) ofKey(ctx context.Context, key string) (caller, error) {
	use, err := s.db.KeyAccount(ctx, key)
	if db.CodeOf(err) == db.NotSignedIn {
		return caller{}, &db.Error{
			Code: db.NotSignedIn, Message: "this API key is not valid: it was revoked, has run out, or is mistyped", Hint: "make another: /settings",
		}
	}
	return caller{Account: use.Account, key: true, scopes: use.Scopes}, err
}

func (s *Server) ofSession(ctx context.Context, token string) (caller, error) {
	visit, err := s.db.SessionAccount(ctx, token)
	if db.CodeOf(err) == db.NotSignedIn {
		return caller{}, notSignedIn()
	}
	return caller{Account: visit.Account, slid: visit.Slid}, err
}

// bearer is the API key of a request. It is trimmed here: what counts, remembers and revokes keys must take
// all spellings of one for one.
func bearer(c echo.Context) (key string, given bool) {
	scheme, key, _ := strings.Cut(c.Request().Header.Get(echo.HeaderAuthorization), " ")
	return db.TrimToken(key), strings.EqualFold(scheme, "bearer")
}

// sessionOf is the token of a request's session, trimmed like a key.
func sessionOf(c echo.Context) (token string, given bool) {
	cookie, err := c.Cookie(sessionCookie)
	if err != nil {
		return "", false
	}
	return db.TrimToken(cookie.Value), true
}

func notSignedIn() error {
	return &db.Error{Code: db.NotSignedIn, Message: "you are not signed in", Hint: "POST /api/v1/session"}
}

const accountKey = "account"

func accountOf(c echo.Context) db.Account {
	account, _ := c.Get(accountKey).(db.Account)
	return account
}

// visitor is whose browser asks for a page that everybody may see; nil when not signed in.
func (s *Server) visitor(c echo.Context) (*db.Account, error) {
	if _, given := bearer(c); given {
		return nil, nil
	}
	who, err := s.caller(c, false)
	if db.CodeOf(err) == db.NotSignedIn {
		show(c, nil)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &who.Account, nil
}
