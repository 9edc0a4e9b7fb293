package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

// Asset is a file as it is written, and as it is sent in the content codings that browsers take.
type Asset struct {
	Plain, Gzip, Brotli []byte
}

// Assets are the files of FS by path, compressed once. Nobody changes them.
var Assets = sync.OnceValue(func() map[string]Asset {
	assets := map[string]Asset{}
	err := fs.WalkDir(FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := FS.ReadFile(name)
		if err == nil {
			assets[name], err = compressed(text)
		}
		return err
	})
	if err != nil {
		panic(fmt.Errorf("compressing the embedded files: %w", err)) // a test has read them all
	}
	return assets
})

// brotliLevel is the last that costs little: 10 and 11 take twenty times as long for 8 % less.
const brotliLevel = 5

func compressed(text []byte) (Asset, error) {
	var asGzip, asBrotli bytes.Buffer
	g, err := gzip.NewWriterLevel(&asGzip, gzip.BestCompression)
	if err != nil {
		return Asset{}, err
	}
	for _, w := range []io.WriteCloser{g, brotli.NewWriterLevel(&asBrotli, brotliLevel)} {
		if _, err := w.Write(text); err != nil {
			return Asset{}, err
		}
		if err := w.Close(); err != nil {
			return Asset{}, err
		}
	}
	return Asset{text, asGzip.Bytes(), asBrotli.Bytes()}, nil
}

// Build is the hash of all files of FS. It stands in their addresses, /static/BUILD/js/app.js, so that a
// browser may keep them for ever, and a page never has modules of two builds: what they import is beside
// them.
var Build = sync.OnceValue(func() string {
	hash := sha256.New()
	_ = fs.WalkDir(FS, ".", func(name string, entry fs.DirEntry, err error) error { // Assets tells of errors
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := FS.ReadFile(name)
		fmt.Fprintf(hash, "%s %d\n%s", name, len(text), text)
		return err
	})
	return hex.EncodeToString(hash.Sum(nil)[:8])
})

// address is where pages find a file of FS.
func address(name string) string { return "/static/" + Build() + "/" + name }

// modules are the scripts that a page imports, directly or not, for browsers to fetch at once and
// not one by one as they discover them. Each page has js/app.js, and its own in js/pages if there
// is one; those of the page "" are what all have.
var modules = func() map[string][]string {
	common := imported(nil, "js/app.js")
	list := map[string][]string{"": common}
	names, _ := fs.Glob(pages, "pages/*.html") // only a malformed pattern fails
	for _, name := range names {
		page := strings.TrimSuffix(path.Base(name), ".html")
		list[page] = common
		own := "js/pages/" + page + ".js"
		if _, err := fs.Stat(FS, own); err == nil {
			list[page] = imported(slices.Clone(common), own)
		}
	}
	return list
}()

var importing = regexp.MustCompile(`(?m)^(?:import|export)\b[^"';]*"(\.[^"]+)"`)

// imported adds to a list a script and what it imports, unless it is there.
func imported(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	text, err := FS.ReadFile(name)
	if err != nil {
		return list // TestPagesAndModulesNameFilesThatExist tells
	}
	list = append(list, name)
	for _, m := range importing.FindAllSubmatch(text, -1) {
		list = imported(list, path.Join(path.Dir(name), string(m[1])))
	}
	return list
}
