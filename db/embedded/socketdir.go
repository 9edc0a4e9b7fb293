package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const longestSocketName = "/.s.PGSQL.65535"

// prepareSocketDir makes the private folder of the socket, empty: run/ in the data directory,
// or, where the path would be too long for a socket or could not be written in a URL of a
// client, a folder for temporary files named after the data directory.
func prepareSocketDir(dir *dataDir) (string, error) {
	path := filepath.Join(dir.path, "run")
	if !fitsSocket(path) {
		tmp, err := filepath.EvalSymlinks(os.TempDir())
		if err != nil {
			return "", fmt.Errorf("finding a place for the socket: %w", err)
		}
		sum := sha256.Sum256([]byte(dir.path))
		path = filepath.Join(tmp, "pgtape-"+hex.EncodeToString(sum[:8]))
		if !fitsSocket(path) {
			return "", fmt.Errorf("both %s and %s are too long to hold a unix socket: choose a shorter data directory or TMPDIR", dir.path, tmp)
		}
	}
	if err := dir.account.privateDir(path); err != nil {
		return "", fmt.Errorf("making the folder of the socket: %w", err)
	}
	if err := dir.account.reach(path); err != nil {
		return "", err
	}
	// What is there was left by a server that is dead, or we would not hold the lock.
	stale, err := filepath.Glob(filepath.Join(escapeGlob(path), ".s.PGSQL.*"))
	if err != nil {
		return "", err
	}
	for _, s := range stale {
		if err := os.Remove(s); err != nil {
			return "", fmt.Errorf("removing a dead socket: %w", err)
		}
	}
	return path, nil
}

// fitsSocket tells whether a socket can be made in the folder and clients can name it: they
// take a comma for the start of the next host.
func fitsSocket(dir string) bool {
	longest := 107
	if runtime.GOOS == "darwin" {
		longest = 103
	}
	return len(dir+longestSocketName) <= longest && !strings.ContainsAny(dir, ",\"\\\n")
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// removeSocketDir removes the folder if it lies outside the data directory. Left behind, it
// would do no harm.
func (d *dataDir) removeSocketDir(path string) {
	if filepath.Dir(path) != d.path {
		_ = os.Remove(path)
	}
}
