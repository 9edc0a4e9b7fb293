package server

import (
	"bytes"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/static"
)

var buildPattern = regexp.MustCompile(`^[0-9a-f]{16}$`)

// assetOf parses the rest of an address under /static/: a file, behind the build of which it is to be, if
// the address says that.
func assetOf(c echo.Context) (build, name string) {
	name = c.Param("*")
	if first, rest, _ := strings.Cut(name, "/"); buildPattern.MatchString(first) {
		return first, rest
	}
	return "", name
}

// getAsset handles GET /static/BUILD/FILE, which browsers may keep for ever, and GET /static/FILE, the same
// under an address for other programs. A page of another build, in the middle of an update, gets the file of
// this one, and asks again next time.
func (s *Server) getAsset(c echo.Context) error {
	build, name := assetOf(c)
	file, known := static.Assets()[name]
	if !known {
		return echo.ErrNotFound
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "no-cache")
	if build == static.Build() {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Vary", "Accept-Encoding")
	coding := negotiate(c.Request().Header.Values("Accept-Encoding"), "br", "gzip", identity)
	if coding == "" {
		return echo.NewHTTPError(http.StatusNotAcceptable, "there are the codings br, gzip and identity")
	}
	data := map[string][]byte{"br": file.Brotli, "gzip": file.Gzip, identity: file.Plain}[coding]
	if coding != identity {
		h.Set("Content-Encoding", coding)
	}
	h.Set("ETag", strconv.Quote(static.Build()+"-"+coding))
	http.ServeContent(c.Response(), c.Request(), path.Base(name), time.Time{}, bytes.NewReader(data))
	return nil
}

// identity is the coding that changes nothing.
const identity = "identity"

// negotiate returns which of some content codings, the best first, an Accept-Encoding wants most; empty if it
// takes none of them (RFC 9110, 12.5.3).
func negotiate(header []string, codings ...string) string {
	wants := map[string]float64{}
	for listed := range strings.SplitSeq(strings.Join(header, ","), ",") {
		name, q, weighted := strings.Cut(strings.ToLower(listed), ";")
		weight := 1.0
		if weighted {
			_, q, _ = strings.Cut(q, "=")
			weight, _ = strconv.ParseFloat(strings.TrimSpace(q), 64) // 0 for what is no number
		}
		wants[strings.TrimPrefix(strings.TrimSpace(name), "x-")] = weight
	}
	best, most := "", 0.0
	for _, coding := range codings {
		weight, listed := wants[coding]
		if !listed {
			weight, listed = wants["*"]
		}
		if !listed && coding == identity {
			weight = least
		}
		if weight > most {
			best, most = coding, weight
		}
	}
	return best
}

// least is the weight of identity where a header leaves it out: it is taken if nothing else is.
const least = 1e-6
