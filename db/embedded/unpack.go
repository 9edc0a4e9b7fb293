package embedded

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const (
	nativePrefix = "package/native/"
	symlinkList  = "pg-symlinks.json"
)

// unpack puts what lies under package/native of an npm archive into a new folder and makes the
// symbolic links of its list, which such archives cannot hold. Nothing is written outside the
// folder; an archive that tries is refused.
func unpack(archive io.Reader, to string) error {
	unzipped, err := gzip.NewReader(archive)
	if err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	if err := os.Mkdir(to, 0o755); err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	root, err := os.OpenRoot(to)
	if err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	defer root.Close()
	entries := tar.NewReader(unzipped)
	for {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("unpacking: %w", err)
		}
		if err := unpackEntry(root, h, entries); err != nil {
			return fmt.Errorf("unpacking %q: %w", h.Name, err)
		}
	}
	if err := linkLibraries(root); err != nil {
		return fmt.Errorf("linking libraries: %w", err)
	}
	return nil
}

func unpackEntry(root *os.Root, h *tar.Header, content io.Reader) error {
	if !filepath.IsLocal(h.Name) {
		return errors.New("the path leads out of the archive's folder")
	}
	name, native := strings.CutPrefix(path.Clean(h.Name), nativePrefix)
	switch {
	case h.Typeflag == tar.TypeDir:
		return nil // folders are made for the files in them
	case h.Typeflag != tar.TypeReg:
		return fmt.Errorf("entries of type %q are not allowed", h.Typeflag)
	case !native:
		return nil
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(f, content); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if h.Mode&0o111 != 0 || path.Dir(name) == "bin" {
		mode = 0o755
	}
	// Whatever our umask: the server may run as another user.
	if err := f.Chmod(mode); err != nil {
		return err
	}
	return f.Close()
}

// linkLibraries makes the links that the archive lists, each beside the file it points to.
func linkLibraries(root *os.Root) error {
	text, err := root.ReadFile(symlinkList)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("reading %s: %w", symlinkList, err)
	}
	for _, l := range links {
		file, inFile := strings.CutPrefix(path.Clean(l.Source), "native/")
		link, inLink := strings.CutPrefix(path.Clean(l.Target), "native/")
		if !inFile || !inLink || !filepath.IsLocal(file) || !filepath.IsLocal(link) {
			return fmt.Errorf("the link %q to %q leads out of the folder", l.Target, l.Source)
		}
		if _, err := root.Stat(file); err != nil {
			return err
		}
		to, err := filepath.Rel(path.Dir(link), file)
		if err != nil {
			return err
		}
		if err := root.Symlink(to, link); err != nil {
			return err
		}
	}
	return nil
}
