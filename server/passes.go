package server

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

const (
	// passLife is how long a session is taken on trust after the database has confirmed it, so that
	// a trade need not ask again. Signing out on this node ends it at once, on another after so long.
	passLife = 10 * time.Second

	maxPasses = 100_000
)

// passes remembers who the sessions that were used lately sign in. The handle of an account never
// changes.
type passes struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]pass // by the token's hash
}

type pass struct {
	handle string // empty: withdrawn
	until  time.Time
}

// handle finds who a token signs in, asking only if it is not known.
func (p *passes) handle(ctx context.Context, token string, ask func(context.Context, string) (db.Account, error)) (string, error) {
	key, now := sha256.Sum256([]byte(token)), time.Now()
	p.mu.Lock()
	known, ok := p.known[key]
	p.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.answer()
	}
	account, err := ask(ctx, token)
	if err != nil {
		return "", err
	}
	return p.note(key, pass{account.Handle, now.Add(passLife)}).answer()
}

// forget ends a session that the database has ended, also for whoever has just asked.
func (p *passes) forget(token string) {
	p.note(sha256.Sum256([]byte(token)), pass{until: time.Now().Add(passLife)})
}

// forgetAccount ends all sessions of an account.
func (p *passes) forgetAccount(handle string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, known := range p.known {
		if known.handle == handle {
			p.known[key] = pass{until: time.Now().Add(passLife)}
		}
	}
}

// note remembers a pass, unless it has been withdrawn, and returns the one that is in force.
func (p *passes) note(key [sha256.Size]byte, new pass) pass {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxPasses {
		p.known = make(map[[sha256.Size]byte]pass)
	}
	if old, ok := p.known[key]; ok && old.handle == "" && time.Now().Before(old.until) {
		return old
	}
	p.known[key] = new
	return new
}

func (p pass) answer() (handle string, err error) {
	if p.handle == "" {
		return "", notSignedIn()
	}
	return p.handle, nil
}

// trading lets only those in who have a session; accountOf then has the handle, and nothing else.
func (s *Server) trading(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		cookie, err := c.Cookie(sessionCookie)
		if err != nil {
			return notSignedIn()
		}
		handle, err := s.passes.handle(c.Request().Context(), cookie.Value, s.db.SessionAccount)
		if db.CodeOf(err) == db.NotSignedIn {
			return notSignedIn()
		}
		if err != nil {
			return err
		}
		c.Set(accountKey, db.Account{Handle: handle})
		return next(c)
	}
}

func notSignedIn() error {
	return &db.Error{Code: db.NotSignedIn, Message: "you are not signed in", Hint: "POST /api/v1/session"}
}
