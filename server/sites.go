package server

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

// Sites are the names by which a server is known, and whose pages may use it. A name in a request is
// written by whoever sends that: it is put into feeds, links and redirects only if it is one of these.
type Sites struct {
	Public  *url.URL // as everybody sees the server; nil: as each request says
	Hosts   []string // further names
	Origins []string // of front ends elsewhere, which may read, trade with a key, and open sockets

	// Local is set where nobody from elsewhere connects: a name that is none of this machine's is then of
	// a page that has had its own name point here.
	Local bool
}

// Knows says whether a server answers to what a request calls it. An address is no name: nobody can
// make one lead here.
func (s *Sites) Knows(host string) bool {
	name := hostname(host)
	if _, err := netip.ParseAddr(name); err == nil || name == "" || name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	if s.Public == nil && len(s.Hosts) == 0 && !s.Local {
		return true
	}
	return s.Public != nil && hostname(s.Public.Host) == name ||
		slices.ContainsFunc(s.Hosts, func(known string) bool { return hostname(known) == name })
}

// hostname is a Host header's name, without port, brackets and the dot of the root.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host, _, _ = strings.Cut(strings.Trim(host, "[]"), "%")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// of is the address of this server in what it answers to a request, without a slash at the end.
func (s *Sites) of(c echo.Context) string {
	if s.Public != nil {
		return s.Public.Scheme + "://" + s.Public.Host
	}
	scheme := "http"
	if c.Scheme() == "https" {
		scheme = "https"
	}
	return scheme + "://" + c.Request().Host
}

// cacheControl is for answers that name this server. Without a public address they name what the request
// has called it, which a shared cache must not give to others.
func (s *Sites) cacheControl() string {
	if s.Public == nil {
		return "private, max-age=60"
	}
	return "public, max-age=60"
}

// mayUse says whether an origin is one of those elsewhere.
func (s *Sites) mayUse(origin string) bool {
	return origin != "" && slices.ContainsFunc(s.Origins, func(known string) bool { return sameOrigin(known, origin) })
}

// sameOrigin compares origins as browsers do: a port that is the scheme's own may be left out.
func sameOrigin(a, b string) bool {
	u, err := url.Parse(a)
	v, otherErr := url.Parse(b)
	return err == nil && otherErr == nil && u.Host != "" && u.Scheme == v.Scheme && v.User == nil && v.Path == "" && v.RawQuery == "" && isOf(a, v.Host)
}

const siteKey = "site"

// origin is the address of this server, as begin has found it.
func origin(c echo.Context) string {
	site, _ := c.Get(siteKey).(string)
	return site
}

// knownHost refuses requests to a name that is not this server's: of a page that makes its own name
// lead here, or of somebody who wants a cache to keep links elsewhere. Whoever asks whether the process
// lives may call it anything.
func (s *Server) knownHost(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		host := c.Request().Host
		if path := c.Path(); path != "/healthz" && path != "/readyz" && !s.sites.Knows(host) {
			return &db.Error{
				Code: db.NotPermitted, Message: "this server is not known as " + strconv.Quote(host),
				Hint: "start it with --public-url https://" + hostname(host) + ", or name it in --allowed-hosts",
			}
		}
		return next(c)
	}
}

// crossOrigin lets the pages of the origins that Sites names read what the API answers, and use it.
// Cookies come along only where browsers send them: from another name of the same site.
func (s *Server) crossOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		from := r.Header.Get(echo.HeaderOrigin)
		if len(s.sites.Origins) == 0 || !strings.HasPrefix(r.URL.Path, "/api/") {
			return next(c)
		}
		allow := func() { // what an edge's origin has said of it is said once
			h := c.Response().Header()
			if !slices.Contains(h.Values(echo.HeaderVary), echo.HeaderOrigin) {
				h.Add(echo.HeaderVary, echo.HeaderOrigin)
			}
			if s.sites.mayUse(from) {
				h.Set(echo.HeaderAccessControlAllowOrigin, from)
				h.Set(echo.HeaderAccessControlAllowCredentials, "true")
				h.Set(echo.HeaderAccessControlExposeHeaders, "ETag, Retry-After, X-Cache, X-Request-Id")
			}
		}
		c.Response().Before(allow)
		if r.Method == http.MethodOptions && s.sites.mayUse(from) && r.Header.Get(echo.HeaderAccessControlRequestMethod) != "" {
			h := c.Response().Header()
			h.Set(echo.HeaderAccessControlAllowMethods, "GET, HEAD, POST, PUT, PATCH, DELETE")
			h.Set(echo.HeaderAccessControlAllowHeaders, r.Header.Get(echo.HeaderAccessControlRequestHeaders))
			h.Set(echo.HeaderAccessControlMaxAge, "600")
			return c.NoContent(http.StatusNoContent)
		}
		return next(c)
	}
}
