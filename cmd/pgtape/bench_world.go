package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/pgtape/pgtape/bench/compare"
	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server"
)

// benchWorld is what a bench runs on when it is not given a server: a Postgres, and servers that
// are processes of their own, so that what they take can be told from what measuring takes.
type benchWorld struct {
	flags    databaseFlags
	serving  serverFlags
	database *database // while with runs
}

func (w *benchWorld) add(flags *pflag.FlagSet) {
	w.serving = serverFlags{signUp: string(server.Handle), replayLimit: defaultReplayLimit, pool: defaultPool()}
	flags.StringVar(&w.flags.url, "database-url", "", "a Postgres for the server of its own: on a database beside this one, dropped afterwards")
	flags.StringVar(&w.serving.source, "source", "auto", "how the server of its own reads the tape: auto, wal or notify")
}

// with starts the Postgres, and stops it when measure has returned.
func (w *benchWorld) with(ctx context.Context, measure func() error) (err error) {
	log, err := (&logFlags{level: "warn"}).logger()
	if err != nil {
		return err
	}
	if w.flags.url == "" {
		dir, err := os.MkdirTemp("", "pgtape-bench-")
		if err != nil {
			return fmt.Errorf("making a place for the data: %w", err)
		}
		w.flags.dataDir = dir
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	} else {
		drop, err := w.beside(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, drop()) }()
	}
	if w.database, err = w.flags.start(ctx, "", log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.database.stop()) }()
	return measure()
}

// beside makes an empty branch of the database of --database-url, which the load goes to: markets and
// accounts of a load can be taken out of no ledger. drop ends it.
func (w *benchWorld) beside(ctx context.Context) (drop func() error, err error) {
	branches, err := db.BranchesOf(w.flags.url)
	if err != nil {
		return nil, err
	}
	name := "bench-" + strings.ToLower(rand.Text()[:8])
	branch, err := branches.Create(ctx, name, true)
	if err != nil {
		return nil, fmt.Errorf("making a database for the load: %w", err)
	}
	w.flags.url = branches.URLOf(branch)
	return func() error { return branches.Delete(context.WithoutCancel(ctx), name) }, nil
}

// superuser is the URL of one on the database; with --database-url whoever that is must do.
func (w *benchWorld) superuser() string {
	if at := w.database.at; at != nil {
		return at.URL(at.Superuser(), db.OwnDatabase)
	}
	return w.database.owner
}

// postmaster is the pid of the Postgres; 0 if it is not ours.
func (w *benchWorld) postmaster() int {
	if w.database.cluster == nil {
		return 0
	}
	return w.database.cluster.Pid()
}

// serveWithin is for a server to start, and to end.
const serveWithin = 30 * time.Second

// serve starts a server.
func (w *benchWorld) serve(ctx context.Context) (compare.Serving, error) {
	program, err := os.Executable()
	if err != nil {
		return compare.Serving{}, fmt.Errorf("finding this program: %w", err)
	}
	cmd := exec.Command(program, "serve", "--config", "", "--drain", "0s", "--listen", "127.0.0.1:0", "--source", w.serving.source,
		"--sign-up", w.serving.signUp, "--no-limits", "--log-level", "info")
	cmd.Env = append(os.Environ(), "PGTAPE_DATABASE_URL="+w.database.server) // not where other users see it
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}                    // a Ctrl-C ends us, and we it
	dieWithParent(cmd.SysProcAttr)
	log, err := cmd.StderrPipe()
	if err != nil {
		return compare.Serving{}, err
	}
	url, started, ended := make(chan string, 1), make(chan error), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the kernel ends it when the thread that forked it ends
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			relay(log, url)
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return compare.Serving{}, fmt.Errorf("starting a server: %w", err)
	}
	stop := func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
		select {
		case err := <-ended:
			return err
		case <-time.After(serveWithin):
			return errors.Join(errors.New("the server did not end when told to"), cmd.Process.Kill(), <-ended)
		}
	}
	select {
	case at := <-url:
		return compare.Serving{URL: at, PID: cmd.Process.Pid, Stop: stop}, nil
	case err := <-ended:
		return compare.Serving{}, fmt.Errorf("the server has ended: %w", err)
	case <-ctx.Done():
		return compare.Serving{}, errors.Join(context.Cause(ctx), stop())
	case <-time.After(serveWithin):
		return compare.Serving{}, errors.Join(errors.New("the server did not start in time"), stop())
	}
}

// relay reads a server's log: where it serves, and what people should know.
func relay(log io.Reader, url chan<- string) {
	for lines := bufio.NewScanner(log); lines.Scan(); {
		line := lines.Text()
		switch _, at, serves := strings.Cut(line, " msg=serving url="); {
		case serves:
			url <- at
		case !strings.Contains(line, " level=INFO "):
			fmt.Fprintln(os.Stderr, line)
		}
	}
}
