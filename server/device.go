package server

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/fairqueue"
)

const (
	deviceCookie = "pgtape_device"
	deviceLife   = 365 * 24 * time.Hour
)

// devices tell a browser in which somebody has signed in before: its cookie is ACCOUNT/ID/SIGNATURE. It
// opens nothing: whoever guesses passwords elsewhere, or fills the queue, cannot keep its owner out. The
// cookie is signed, so that it is known before the database is asked; the key is the database's, so that
// all nodes have it. The ID is the browser's own: a cookie lives as long as the key, and whoever has one,
// from a computer that was shared, say, has a share of what may be asked, and never that of another.
type devices struct {
	key func(context.Context) ([]byte, error)

	mu    sync.Mutex
	known []byte
}

// sign adds the signature to an account and an id.
func (d *devices) sign(ctx context.Context, device string) (string, error) {
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
	mac.Write([]byte("device " + device))
	return device + "/" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16]), nil
}

// remember gives the browser the cookie of an account, with the id that it has of it already, if any:
// who signs in again gets no fresh share of what may be asked.
func (s *Server) remember(c echo.Context, account db.Account) {
	device := s.deviceOf(c)
	if of, _, _ := strings.Cut(device, "/"); of != nameOf(account) {
		device = nameOf(account) + "/" + rand.Text()
	}
	signed, err := s.devices.sign(c.Request().Context(), device)
	if err != nil {
		s.log.Warn("a device is not remembered", "err", err)
		return
	}
	setCookie(c, deviceCookie, signed, deviceLife)
}

// deviceOf is the device of a caller in which somebody has signed in before, ACCOUNT/ID; empty: none. A
// cookie without an id, as there once were, is none. An edge, which has no key, knows none.
func (s *Server) deviceOf(c echo.Context) string {
	cookie, err := c.Cookie(deviceCookie)
	if err != nil || s.db == nil || strings.Count(cookie.Value, "/") != 2 {
		return ""
	}
	device := cookie.Value[:strings.LastIndex(cookie.Value, "/")]
	signed, err := s.devices.sign(c.Request().Context(), device)
	if err != nil || !hmac.Equal([]byte(signed), []byte(cookie.Value)) {
		return ""
	}
	return device
}

// isDeviceOf tells whether a handle has signed in on the caller's device before.
func (s *Server) isDeviceOf(c echo.Context, handle string) bool {
	known, _, _ := strings.Cut(s.deviceOf(c), ":")
	return known != "" && strings.EqualFold(known, handle)
}

// withClient has the passwords of a request wait for turns of its device, or else of its network.
func (s *Server) withClient(c echo.Context, handle string) context.Context {
	client := networkOf(c)
	if s.isDeviceOf(c, handle) {
		client = fairqueue.Client{Name: s.deviceOf(c), Known: true}
	}
	c.SetRequest(c.Request().WithContext(fairqueue.WithClient(c.Request().Context(), client)))
	return c.Request().Context()
}

// watcherOf is whose turns the subscriptions of a request wait for: the account's, if it is known without
// asking (by a key or a session of late, or by the device), else the network's.
func (s *Server) watcherOf(c echo.Context) fairqueue.Client {
	secret, given := bearer(c)
	if !given {
		secret, _ = sessionOf(c)
	}
	if who, known := s.passes.peek(secret); known {
		return fairqueue.Client{Name: nameOf(who.Account), Known: true}
	}
	if device := s.deviceOf(c); device != "" {
		return fairqueue.Client{Name: device, Known: true}
	}
	return networkOf(c)
}

// networkOf is where a request comes from, as a client of a queue. IPv6 counts by /48: who has one has
// 65,536 networks.
func networkOf(c echo.Context) fairqueue.Client {
	address := addressOf(c.RealIP())
	if address[0] == 6 {
		address[7], address[8] = 0, 0
	}
	return fairqueue.Client{Name: string(address[:9])}
}
