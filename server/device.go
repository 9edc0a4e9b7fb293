package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/password"
)

const (
	deviceCookie = "pgtape_device"
	deviceLife   = 365 * 24 * time.Hour
)

// devices tell a browser in which somebody has signed in before. It opens nothing: whoever guesses
// passwords elsewhere, or fills the queue, cannot keep its owner out. The cookie is signed, so that it
// is known before the database is asked; the key is the database's, so that all nodes have it.
type devices struct {
	key func(context.Context) ([]byte, error)

	mu    sync.Mutex
	known []byte
}

func (d *devices) sign(ctx context.Context, name string) (string, error) {
	d.mu.Lock()
	key := d.known
	d.mu.Unlock()
	if key == nil {
		var err error
		if key, err = d.key(ctx); err != nil {
			return "", err
		}
		d.mu.Lock()
		d.known = key
		d.mu.Unlock()
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("device " + name))
	return name + "/" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16]), nil
}

// remember gives the browser the cookie of an account.
func (s *Server) remember(c echo.Context, account db.Account) {
	signed, err := s.devices.sign(c.Request().Context(), nameOf(account))
	if err != nil {
		s.log.Warn("a device is not remembered", "err", err)
		return
	}
	setCookie(c, deviceCookie, signed, deviceLife)
}

// deviceOf is the account that has signed in on the caller's device before; empty: none. An edge, which
// has no key, knows none.
func (s *Server) deviceOf(c echo.Context) (name string) {
	cookie, err := c.Cookie(deviceCookie)
	if err != nil || s.db == nil {
		return ""
	}
	name, _, _ = strings.Cut(cookie.Value, "/")
	signed, err := s.devices.sign(c.Request().Context(), name)
	if err != nil || !hmac.Equal([]byte(signed), []byte(cookie.Value)) {
		return ""
	}
	return name
}

// isDeviceOf tells whether a handle has signed in on the caller's device before.
func (s *Server) isDeviceOf(c echo.Context, handle string) bool {
	known, _, _ := strings.Cut(s.deviceOf(c), ":")
	return known != "" && strings.EqualFold(known, handle)
}

// inLane has the passwords of a request wait in a lane of its device, or else of its network.
func (s *Server) inLane(c echo.Context, handle string) context.Context {
	address := addressOf(c.RealIP())
	if address[0] == 6 { // who has a /48 has 65,536 networks
		address[7], address[8] = 0, 0
	}
	lane := password.Lane{Name: string(address[:])}
	if s.isDeviceOf(c, handle) {
		lane = password.Lane{Name: s.deviceOf(c), Known: true}
	}
	c.SetRequest(c.Request().WithContext(password.InLane(c.Request().Context(), lane)))
	return c.Request().Context()
}
