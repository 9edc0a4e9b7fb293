package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/static"
)

// assets are the files under /static/, by path.
type assets map[string]asset

type asset struct {
	static.Asset
	etag string
}

// loadAssets hashes the files, once.
func loadAssets() assets {
	loaded := assets{}
	for name, file := range static.Assets() {
		hash := sha256.Sum256(file.Plain)
		loaded[name] = asset{file, hex.EncodeToString(hash[:8])}
	}
	return loaded
}

// digest tells the assets of one build from those of another.
func (a assets) digest() string {
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(a)) {
		hash.Write([]byte(name + a[name].etag))
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

// getAsset handles GET /static/*. Browsers ask each time, and are mostly told that nothing changed.
func (s *Server) getAsset(c echo.Context) error {
	name := c.Param("*")
	file, known := s.assets[name]
	if !known {
		return echo.ErrNotFound
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	data, etag := file.Plain, `"`+file.etag+`"`
	if strings.Contains(c.Request().Header.Get("Accept-Encoding"), "gzip") && c.Request().Header.Get("Range") == "" {
		data, etag = file.Zipped, `"`+file.etag+`-gzip"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", etag)
	http.ServeContent(c.Response(), c.Request(), path.Base(name), time.Time{}, bytes.NewReader(data))
	return nil
}
