package dbtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/embedded"
)

// templatesKept is how long a data directory that nobody has copied stays.
const templatesKept = 24 * time.Hour

// ProvisionedData gives a folder the data of an embedded Postgres that db.Provision has been called
// for, and that has been stopped in order.
func ProvisionedData(t testing.TB, dir string) {
	t.Helper()
	err := copyTemplate(t.Context(), dir, BinDir(t), "provisioned", func(c *embedded.Cluster) error {
		return db.Provision(t.Context(), c.Endpoint)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// copyTemplate gives a data directory the content of one that was made once on this machine: initdb
// and, if it is to be migrated, the template database of this schema. prepare is called with the
// server of the one that is being made. Whatever it is made of is in its name, so it is never stale.
func copyTemplate(ctx context.Context, to, programs, kind string, prepare func(*embedded.Cluster) error) error {
	home, err := templatesHome()
	if err != nil {
		return err
	}
	name, err := templateKey(programs)
	if err != nil {
		return err
	}
	template := filepath.Join(home, kind+"-"+name)
	lock, err := os.OpenFile(filepath.Join(home, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close() // and with it the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	if _, err := os.Stat(template); errors.Is(err, fs.ErrNotExist) {
		forgetTemplates(home)
		if err := makeDataDir(ctx, template, programs, prepare); err != nil {
			return err
		}
	}
	_ = os.Chtimes(template, time.Now(), time.Now()) // it is needed
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_SH); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "cp", "-a", template+"/.", to).CombinedOutput()
	if err != nil {
		return fmt.Errorf("copying the data directory: %w: %s", err, out)
	}
	return nil
}

// makeDataDir makes one aside and puts it in its place when its server has stopped in order.
func makeDataDir(ctx context.Context, template, programs string, prepare func(*embedded.Cluster) error) (err error) {
	aside := template + ".new"
	if err := os.RemoveAll(aside); err != nil { // of one that was killed
		return err
	}
	defer os.RemoveAll(aside)
	c, err := embedded.Start(ctx, embedded.Options{DataDir: aside, BinDir: programs, Settings: map[string]string{"fsync": "off"}})
	if err != nil {
		return err
	}
	if prepare != nil {
		err = prepare(c)
	}
	if err := errors.Join(err, c.Stop(ctx)); err != nil {
		return err
	}
	// Each copy finds a port of its own.
	if err := os.Remove(filepath.Join(aside, "endpoint.json")); err != nil {
		return err
	}
	return os.Rename(aside, template)
}

// templatesHome is a folder of this user's that the server's user may pass through.
func templatesHome() (string, error) {
	home := filepath.Join(os.TempDir(), fmt.Sprintf("pgtape-test-templates-%d", os.Geteuid()))
	if err := os.Mkdir(home, 0o711); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(home)
	if err != nil {
		return "", err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || ok && int(owner.Uid) != os.Geteuid() {
		return "", fmt.Errorf("%s is somebody else's: remove it", home)
	}
	return home, nil
}

// templateKey is of all that a data directory is made of: the programs, the schema, and the code of
// db and db/embedded.
func templateKey(programs string) (string, error) {
	schema, err := templateName()
	if err != nil {
		return "", err
	}
	b, err := embedded.FindBinaries(programs)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	fmt.Fprintln(hash, schema, b.Dir, b.Version)
	_, here, _, _ := runtime.Caller(0)
	for _, pattern := range []string{"../*.go", "../embedded/*.go", "*.go"} {
		files, err := filepath.Glob(filepath.Join(filepath.Dir(here), pattern))
		if err != nil || len(files) == 0 {
			return "", fmt.Errorf("no sources at %s: tests are run from them (%w)", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			hash.Write(text)
		}
	}
	return hex.EncodeToString(hash.Sum(nil))[:16], nil
}

func forgetTemplates(home string) {
	entries, _ := os.ReadDir(home) // what cannot be listed stays
	for _, e := range entries {
		if info, err := e.Info(); err == nil && e.IsDir() && time.Since(info.ModTime()) > templatesKept {
			_ = os.RemoveAll(filepath.Join(home, e.Name()))
		}
	}
}
