package static

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"
)

// Asset is a file as it is sent: without comments and spare white space, and the same compressed.
type Asset struct {
	Plain, Zipped []byte
}

// Assets are the files of FS by path. They are made once; nobody changes them.
var Assets = sync.OnceValue(func() map[string]Asset {
	assets := map[string]Asset{}
	err := fs.WalkDir(FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := FS.ReadFile(name)
		if err != nil {
			return err
		}
		if loader, ok := loaders[path.Ext(name)]; ok {
			if text, err = minify(text, loader); err != nil {
				return fmt.Errorf("minifying %s: %w", name, err)
			}
		}
		zipped, err := zip(text)
		assets[name] = Asset{text, zipped}
		return err
	})
	if err != nil {
		panic(err) // the files are embedded, and a test has read them all
	}
	return assets
})

var loaders = map[string]api.Loader{".js": api.LoaderJS, ".css": api.LoaderCSS}

func minify(text []byte, loader api.Loader) ([]byte, error) {
	result := api.Transform(string(text), api.TransformOptions{
		Loader: loader, MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
		Target: api.ES2022, LegalComments: api.LegalCommentsInline,
	})
	if len(result.Errors) > 0 {
		return nil, errors.New(result.Errors[0].Text)
	}
	return result.Code, nil
}

func zip(text []byte) ([]byte, error) {
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close()
	return zipped.Bytes(), err
}

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
