package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

const (
	lockFileName     = "pgtape.lock"
	recordFileName   = "endpoint.json"
	passwordFileName = "superuser.password"
	pgdataName       = "pgdata"
	pidFilePath      = pgdataName + "/postmaster.pid"

	// rootDataDir is where root's data lives by default: the server's user can reach it,
	// unlike root's home.
	rootDataDir = "/var/lib/pgtape"
)

// dataDir is a data directory whose lock we hold. All files are opened beneath root, so that no
// link in a directory owned by somebody else leads a privileged process out of it.
type dataDir struct {
	path    string // absolute, without symbolic links
	root    *os.Root
	lock    *os.File
	account account
}

// DefaultDataDir is where the data of this user belongs.
func DefaultDataDir() (string, error) {
	if os.Geteuid() == 0 {
		return rootDataDir, nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "pgtape"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("finding a place for the data: %w", err)
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "pgtape"), nil
	}
	return filepath.Join(home, ".local", "share", "pgtape"), nil
}

// openDataDir makes the directory if need be and takes its lock.
func openDataDir(path string) (*dataDir, error) {
	path, err := makeDataDir(path)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("opening the data directory: %w", err)
	}
	d := &dataDir{path: path, root: root}
	if err := d.prepare(); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func makeDataDir(path string) (string, error) {
	if path == "" {
		return "", errors.New("no data directory given for the embedded Postgres")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("finding the data directory: %w", err)
	}
	mode := fs.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	if err := os.MkdirAll(path, mode); err != nil {
		return "", fmt.Errorf("making the data directory: %w", err)
	}
	return filepath.EvalSymlinks(path)
}

func (d *dataDir) prepare() error {
	if err := d.requireOwn(); err != nil {
		return err
	}
	if err := d.takeLock(); err != nil {
		return err
	}
	var err error
	if d.account, err = chooseAccount(d.path, d.pgdata()); err != nil {
		return err
	}
	if err := d.account.own(d.root, lockFileName); err != nil {
		return err
	}
	if err := d.letIn(); err != nil {
		return err
	}
	if err := d.account.reach(d.path); err != nil {
		return fmt.Errorf("data directory %s: %w", d.path, err)
	}
	return nil
}

// letIn opens a directory of root's own to the server's user: it may pass to its own folders, as
// all may, but list nothing.
func (d *dataDir) letIn() error {
	info, err := os.Stat(d.path)
	if err != nil {
		return err
	}
	if !d.account.switched || int(info.Sys().(*syscall.Stat_t).Uid) == d.account.uid {
		return nil
	}
	return os.Chmod(d.path, info.Mode().Perm()|0o011)
}

// requireOwn refuses a directory with files of others in it.
func (d *dataDir) requireOwn() error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return fmt.Errorf("reading the data directory: %w", err)
	}
	foreign := ""
	for _, e := range entries {
		switch e.Name() {
		case lockFileName:
			return nil
		case "lost+found":
		default:
			foreign = e.Name()
		}
	}
	if foreign != "" {
		return fmt.Errorf("%s is not a data directory of pgtape and not empty (it has %s): choose a new or an empty one", d.path, foreign)
	}
	return nil
}

// takeLock holds the lock file until close or our death.
func (d *dataDir) takeLock() error {
	f, err := d.root.OpenFile(lockFileName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("locking the data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("locking the data directory: %w", err)
		}
		var holder [20]byte
		n, _ := f.ReadAt(holder[:], 0)
		return fmt.Errorf("%w: process %s runs a Postgres in %s; stop it, or choose another data directory",
			ErrInUse, strings.TrimSpace(string(holder[:n])), d.path)
	}
	d.lock = f
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("writing the lock file: %w", err)
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return fmt.Errorf("writing the lock file: %w", err)
	}
	return nil
}

// close releases the lock.
func (d *dataDir) close() {
	if d.lock != nil {
		unlock(d.lock)
	}
	d.root.Close()
}

// unlock releases a lock and closes its file. Closing alone is not enough: a process that another
// goroutine forks at this moment has the file too, until it runs its program.
func unlock(f *os.File) {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
	f.Close()
}

func (d *dataDir) pgdata() string { return filepath.Join(d.path, pgdataName) }

// dataMajor is the major version that made the data, 0 when there is none yet.
func (d *dataDir) dataMajor() (int, error) {
	text, err := d.root.ReadFile(pgdataName + "/PG_VERSION")
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := d.root.Lstat(pgdataName); err == nil {
			return 0, fmt.Errorf("%s holds no database: move it away or choose another data directory", d.pgdata())
		}
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the version of the data: %w", err)
	}
	_, major, _, ok := parseVersion(string(text))
	if !ok {
		return 0, fmt.Errorf("%s/PG_VERSION names no version: %q", d.pgdata(), text)
	}
	return major, nil
}

// writeRecord replaces the record in one step, so that a reader never sees half of it.
func (d *dataDir) writeRecord(r record) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	const next = recordFileName + ".new"
	if err := d.root.WriteFile(next, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("recording where Postgres listens: %w", err)
	}
	if err := d.account.own(d.root, next); err != nil {
		return fmt.Errorf("recording where Postgres listens: %w", err)
	}
	if err := d.root.Rename(next, recordFileName); err != nil {
		return fmt.Errorf("recording where Postgres listens: %w", err)
	}
	return nil
}

func (d *dataDir) readRecord() (record, error) {
	text, err := d.root.ReadFile(recordFileName)
	if err != nil {
		return record{}, err
	}
	var r record
	return r, json.Unmarshal(text, &r)
}
