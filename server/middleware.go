package server

import (
	"crypto/rand"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/pgtape/pgtape/db"
)

const (
	answerWithin = 15 * time.Second // what a request may take, waiting for its database included
	writeWithin  = 30 * time.Second // and what its client may take to read the answer
)

const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// featurePolicy takes from pages what ours never ask for.
const featurePolicy = "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), serial=(), usb=()"

// begin gives a request an id, by which the log knows it, and its client time to send a body, if one
// is announced, and to read the answer. A socket takes the deadlines away again, a stream sets one
// for each frame. A body that no handler reads is under its deadline too: net/http waits for it.
func (s *Server) begin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderXRequestID, rand.Text()[:16])
		c.Set(siteKey, s.sites.of(c))
		// Errors: the connection is gone, as the answer will find.
		response, now := http.NewResponseController(c.Response()), time.Now()
		_ = response.SetWriteDeadline(now.Add(s.writing))
		if c.Request().ContentLength != 0 {
			_ = response.SetReadDeadline(now.Add(s.reading))
		}
		return next(c)
	}
}

func requestID(c echo.Context) string { return c.Response().Header().Get(echo.HeaderXRequestID) }

// observe logs and counts a request when it is answered.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		if err := next(c); err != nil {
			c.Error(err)
		}
		took := time.Since(start)
		s.metrics.count(c, took)
		s.log.Debug("request", "method", c.Request().Method, "path", c.Request().URL.Path,
			"status", c.Response().Status, "bytes", c.Response().Size, "took", took, "request", requestID(c))
		return nil
	}
}

// recoverPanic makes a panic in one request that request's error, but for the one that cuts an answer off
// which could not be finished.
var recoverPanic = middleware.RecoverWithConfig(middleware.RecoverConfig{
	StackSize: 64 << 10, DisableStackAll: true, DisableErrorHandler: true,
	LogErrorFunc: func(_ echo.Context, err error, stack []byte) error { return fmt.Errorf("panic: %v\n%s", err, stack) },
})

// secure sets what browsers are to hold pages and answers to.
func secure(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", featurePolicy)
		h.Set("Cache-Control", "no-store")
		if c.Scheme() == "https" {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		return next(c)
	}
}

// embeddable is for routes whose answers other sites may show, in a frame or as a picture.
func embeddable(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Del("X-Frame-Options")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("Content-Security-Policy", strings.TrimSuffix(contentPolicy, "'none'")+"*") // frame-ancestors is last
		return next(c)
	}
}

// sameSite refuses a change that a page of another site asks for in its visitor's name.
func (s *Server) sameSite(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !s.mayAsk(c.Request()) {
			return s.otherOrigin(c.Request())
		}
		return next(c)
	}
}

// mayAsk is false for a change that a page of another site asks for, unless Sites names it. Browsers say
// whether a page is of another site, old ones by its Origin alone; what is no browser says neither.
func (s *Server) mayAsk(r *http.Request) bool {
	var protection http.CrossOriginProtection
	origin := r.Header.Get(echo.HeaderOrigin)
	return protection.Check(r) == nil || r.Header.Get("Sec-Fetch-Site") == "" && isOf(origin, r.Host) || s.sites.mayUse(origin)
}

// otherOrigin refuses, and says so in the log, where a proxy that passes on another Host can be told
// from an attack.
func (s *Server) otherOrigin(r *http.Request) error {
	s.origins.Do(func() {
		s.log.Warn("a page of another site was refused", "origin", r.Header.Get(echo.HeaderOrigin), "host", r.Host,
			"sec_fetch_site", r.Header.Get("Sec-Fetch-Site"), "method", r.Method, "path", r.URL.Path,
			"mend", "if it is this server's own page: let the proxy pass on Host, or name it in --trusted-proxies and let it send X-Forwarded-Host")
	})
	return &db.Error{
		Code: db.NotPermitted, Message: "pages of other sites may not do this",
		Hint: "leave the Origin header out, or let its host be that of the address",
	}
}

// isOf is whether an origin is of a host, which may have another spelling: https://ex.org is of EX.org:443.
// What scheme a request had before the proxies is not known for sure: its page's counts.
func isOf(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && hostname(u.Host) == hostname(host) && portOf(u.Host, u.Scheme) == portOf(host, u.Scheme)
}

// portOf is the port of a host, by default that of a scheme.
func portOf(host, scheme string) string {
	if _, port, err := net.SplitHostPort(host); err == nil && port != "" {
		return port
	}
	return map[string]string{"http": "80", "https": "443"}[scheme]
}

// forwardedHost takes the name by which a browser has called a proxy that is trusted. Of several the last
// is that proxy's own. It goes into links, so what is no name is refused.
func (s *Server) forwardedHost(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if named := r.Header.Values("X-Forwarded-Host"); len(named) > 0 && len(s.proxies) > 0 {
			peer, err := netip.ParseAddrPort(r.RemoteAddr)
			by := func(p netip.Prefix) bool { return p.Contains(peer.Addr().Unmap()) }
			list := strings.Split(named[len(named)-1], ",")
			if host := strings.TrimSpace(list[len(list)-1]); err == nil && host != "" && slices.ContainsFunc(s.proxies, by) {
				if !isHost(host) {
					return db.Errorf(db.InvalidRequest, "X-Forwarded-Host is no name of a host, with or without a port")
				}
				r.Host = host
			}
		}
		return next(c)
	}
}

// isHost tells whether a text is a name or an address, with or without a port, and nothing else.
func isHost(text string) bool {
	name, port := text, ""
	if i := strings.LastIndexByte(text, ':'); i >= 0 && !strings.HasSuffix(text, "]") {
		name, port = text[:i], text[i+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	}
	if inner, ok := strings.CutPrefix(name, "["); ok {
		address, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && address.Is6() && strings.HasSuffix(inner, "]")
	}
	return name != "" && len(name) <= 253 && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '.' && r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// plainParams takes the escapes out of what an address names, where the router has left them in. A
// query that cannot be read is refused: what is not read of it would be taken as not given.
func plainParams(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if _, err := url.ParseQuery(c.Request().URL.RawQuery); err != nil {
			return db.Errorf(db.InvalidRequest, "malformed query: %w", err)
		}
		if c.Request().URL.RawPath != "" {
			values := slices.Clone(c.ParamValues())
			for i, value := range values {
				plain, err := url.PathUnescape(value)
				if err != nil {
					return echo.ErrNotFound
				}
				values[i] = plain
			}
			c.SetParamValues(values...)
		}
		if isReference(c.Param("handle")) {
			return db.Errorf(db.NotFound, "there is no account %s", c.Param("handle"))
		}
		return next(c)
	}
}

// isReference tells whether a name is how servers name an account to the database, by its id: #1. Callers
// name it by its handle, which is one, where #1, #01 and #001 would be others to what counts attempts.
func isReference(name string) bool { return strings.HasPrefix(name, "#") }

// requireJSON refuses other bodies; a page of another site cannot send this one unasked.
func requireJSON(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		kind, _, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
		if err != nil || kind != echo.MIMEApplicationJSON {
			return echo.NewHTTPError(http.StatusUnsupportedMediaType, "the body must be JSON: Content-Type: application/json")
		}
		return next(c)
	}
}

// timeout limits how long a request may take, by its context.
var timeout = middleware.ContextTimeoutWithConfig(middleware.ContextTimeoutConfig{
	Timeout:      answerWithin,
	ErrorHandler: func(err error, _ echo.Context) error { return err }, // answerError's to word
})
