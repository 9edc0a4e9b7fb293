package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// initialise makes the data if there is none. It is made aside and put in its place when it is
// whole, so a process killed on the way leaves no half.
func initialise(ctx context.Context, dir *dataDir, bin Binaries, s settings, log *slog.Logger) error {
	if _, err := dir.root.Lstat(pgdataName); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	log.Info("making a new postgres database", "version", bin.Version, "data_dir", dir.path)
	// What a killed initdb left. If it still runs, it fails by this; it takes another name.
	const prefix = pgdataName + ".new-"
	stale, _ := fs.Glob(dir.root.FS(), prefix+"*")
	for _, name := range stale {
		_ = dir.root.RemoveAll(name)
	}

	name := prefix + rand.Text()
	if err := makeData(ctx, dir, bin, s, name); err != nil {
		_ = dir.root.RemoveAll(name)
		return fmt.Errorf("making a new database: %w", err)
	}
	if err := dir.root.Rename(name, pgdataName); err != nil {
		return fmt.Errorf("making a new database: %w", err)
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("making a new database: %w", err)
	}
	return nil
}

func makeData(ctx context.Context, dir *dataDir, bin Binaries, s settings, name string) error {
	if err := dir.account.named(); err != nil {
		return err
	}
	// The server's user reads the password, and as the owner of the data knows more than it.
	_ = dir.root.Remove(passwordFileName)
	if err := dir.root.WriteFile(passwordFileName, []byte(rand.Text()+"\n"), 0o600); err != nil {
		return err
	}
	if err := dir.account.own(dir.root, passwordFileName); err != nil {
		return err
	}
	if err := dir.root.Mkdir(name, 0o700); err != nil {
		return err
	}
	if err := dir.account.own(dir.root, name); err != nil {
		return err
	}
	args := []string{
		"--pgdata", filepath.Join(dir.path, name),
		"--username", superuser,
		"--pwfile", filepath.Join(dir.path, passwordFileName),
		"--auth-local", "trust",
		"--auth-host", "scram-sha-256",
		"--encoding", "UTF8",
	}
	args = append(args, localeArgs(ctx, bin.Major)...)
	if s["fsync"] == "off" {
		args = append(args, "--no-sync")
	}
	cmd := dir.account.commandContext(ctx, filepath.Join(bin.Dir, "initdb"), args...)
	cmd.Dir = dir.path
	if out, err := cmd.CombinedOutput(); err != nil {
		return commandError(cmd, out, err)
	}
	return nil
}

// localeArgs choose text that sorts by bytes, the same everywhere, and where the machine can do
// it, letters of all languages that have cases.
func localeArgs(ctx context.Context, major int) []string {
	if major >= 17 {
		return []string{"--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"}
	}
	if runtime.GOOS == "linux" {
		known, err := exec.CommandContext(ctx, "locale", "-a").Output()
		if err == nil && strings.Contains(strings.ToLower(string(known)), "c.utf") {
			return []string{"--locale=C", "--lc-ctype=C.UTF-8"}
		}
	}
	return []string{"--locale=C"}
}

// syncDir makes renames in the data directory last.
func syncDir(dir *dataDir) error {
	f, err := dir.root.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
