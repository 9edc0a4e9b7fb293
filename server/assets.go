package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/static"
)

// assets are the files under /static/, by path.
type assets map[string]asset

type asset struct {
	data []byte
	etag string
}

// loadAssets reads the embedded files and hashes them, once.
func loadAssets() assets {
	loaded := assets{}
	err := fs.WalkDir(static.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := static.FS.ReadFile(name)
		hash := sha256.Sum256(data)
		loaded[name] = asset{data, `"` + hex.EncodeToString(hash[:8]) + `"`}
		return err
	})
	if err != nil {
		panic(err) // the files are embedded
	}
	return loaded
}

// getAsset handles GET /static/*. Browsers ask each time, and are mostly told that nothing changed.
func (s *Server) getAsset(c echo.Context) error {
	name := c.Param("*")
	file, known := s.assets[name]
	if !known {
		return echo.ErrNotFound
	}
	c.Response().Header().Set("ETag", file.etag)
	c.Response().Header().Set("Cache-Control", "no-cache")
	http.ServeContent(c.Response(), c.Request(), path.Base(name), time.Time{}, bytes.NewReader(file.data))
	return nil
}
