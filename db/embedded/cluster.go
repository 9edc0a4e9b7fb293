package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pgtape/pgtape/db/connect"
)

var (
	// ErrInUse is wrapped by Start when another live process holds the data directory.
	ErrInUse = errors.New("data directory is in use")
	// ErrNotRunning is wrapped by Attach when no server answers.
	ErrNotRunning = errors.New("no embedded Postgres is running")
	// ErrVersion is wrapped by Start when the data needs another major version than is at hand.
	ErrVersion = errors.New("wrong PostgreSQL version for this data directory")
)

const (
	superuser = "postgres"

	// immediateGrace is how long a server may take to end after an immediate shutdown.
	// Postgres itself kills its children 5 s after the order.
	immediateGrace = 15 * time.Second
)

// Options say where and how Start runs a server. Only DataDir is required.
type Options struct {
	// DataDir is created if it does not exist; see DefaultDataDir for a place that works.
	DataDir string
	// BinDir, if not empty, is the only folder whose initdb and postgres are used.
	BinDir string
	// Port on 127.0.0.1; 0 takes the one used last if it is free, else any free one.
	Port int
	// Settings override the server's configuration parameters, except those that keep it
	// private. With fsync=off the data is not synced when it is first made, either.
	Settings map[string]string
	// Log hears what Start does; nil is silent.
	Log *slog.Logger
	// Fetching hears how a fetch of the programs goes on, if there has to be one.
	Fetching Report
}

// Cluster is a running server. Its methods may be called by any goroutine.
type Cluster struct {
	Endpoint
	dir    *dataDir
	log    *slog.Logger
	server *server

	stopping sync.Mutex // held by the one Stop at work
	stopped  bool
}

// Start brings up the server of a data directory and returns when it takes connections; on the
// first use it finds or fetches the programs and makes the data. A server that an earlier,
// killed process left behind is stopped first. ctx bounds Start only, not the server's life.
//
// Errors wrap ErrInUse or ErrVersion where these are the reason.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	settings, err := newSettings(o.Settings)
	if err != nil {
		return nil, err
	}
	dir, err := openDataDir(o.DataDir)
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, log: log}
	if err := c.start(ctx, o, settings); err != nil {
		dir.close()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, o Options, settings settings) error {
	if err := stopOrphan(ctx, c.dir, c.log); err != nil {
		return err
	}
	bin, err := binariesFor(ctx, c.dir, o.BinDir, c.log, o.Fetching)
	if err != nil {
		return err
	}
	if err := initialise(ctx, c.dir, bin, settings, c.log); err != nil {
		return err
	}
	if err := keepCopiesToSuperuser(c.dir); err != nil {
		return err
	}
	sockets, err := prepareSocketDir(c.dir)
	if err != nil {
		return err
	}
	c.Endpoint = Endpoint{dataDir: c.dir.path, record: record{
		Version:   bin.Version,
		BinDir:    bin.Dir,
		SocketDir: sockets,
	}}
	if err := c.launch(ctx, o.Port, settings); err != nil {
		return err
	}
	c.log.Info("embedded postgres is ready", "version", bin.Version, "data_dir", c.dir.path,
		"port", c.Port(), "socket_dir", sockets, "pid", c.Pid(), "runs_as", c.dir.account.name)
	return nil
}

// launch runs the server. A port that was free a moment ago may be taken by the time the server
// binds it; if the choice was ours, another is tried.
func (c *Cluster) launch(ctx context.Context, fixed int, settings settings) error {
	for attempt := 0; ; attempt++ {
		port, err := choosePort(c.dir, fixed)
		if err != nil {
			return err
		}
		c.record.Port = port
		if err := c.dir.writeRecord(c.record); err != nil {
			return err
		}
		c.server, err = startServer(c.dir, c.record, settings)
		if err != nil {
			return err
		}
		err = c.awaitReady(ctx)
		if err == nil {
			return nil
		}
		c.abort()
		if fixed != 0 || attempt == 2 || ctx.Err() != nil || portFree(port) {
			return err
		}
	}
}

// awaitReady waits until the server says that it is ready and a connection proves it. It takes
// as long as recovery takes; ctx is the bound.
func (c *Cluster) awaitReady(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for Postgres to start: %w%s", ctx.Err(), c.server.lastWords())
		case <-c.server.done:
			return c.server.exitError()
		case <-tick.C:
		}
		if pid, err := readPidFile(c.dir); err == nil && pid.pid == c.server.pid && pid.ready {
			break
		}
	}
	conn, err := connect.Open(ctx, c.URL(superuser, "postgres"), connect.Options{})
	if err != nil {
		return fmt.Errorf("connecting to the Postgres just started: %w", err)
	}
	return conn.Close(ctx)
}

// abort ends a server that did not become ready.
func (c *Cluster) abort() {
	c.server.signal(syscall.SIGQUIT)
	select {
	case <-c.server.done:
	case <-time.After(immediateGrace):
		c.server.signal(syscall.SIGKILL)
		<-c.server.done
	}
	c.server.close()
}

// Stop shuts the server down: sessions are ended, everything is written, the lock is released.
// If that is not done when ctx ends, the server is stopped at once; it loses no committed data
// but recovers at its next start. Calls after the first do nothing.
func (c *Cluster) Stop(ctx context.Context) error {
	c.stopping.Lock()
	defer c.stopping.Unlock()
	if c.stopped {
		return nil
	}
	c.server.expectExit()
	c.server.signal(syscall.SIGINT)
	select {
	case <-c.server.done:
	case <-ctx.Done():
		c.log.Warn("embedded postgres is slow to stop, ending it at once", "pid", c.Pid())
		c.server.signal(syscall.SIGQUIT)
		select {
		case <-c.server.done:
		case <-time.After(immediateGrace):
			return fmt.Errorf("the Postgres process %d in %s does not stop", c.Pid(), c.dir.path)
		}
	}
	c.stopped = true
	c.server.close()
	c.dir.removeSocketDir(c.SocketDir())
	c.dir.close()
	return nil
}

// Done is closed when the server has ended, for whatever reason; Err then tells which.
func (c *Cluster) Done() <-chan struct{} { return c.server.done }

// Err is nil while the server runs and after Stop; if the server ended by itself, it says how,
// with the last lines of its log.
func (c *Cluster) Err() error {
	select {
	case <-c.server.done:
		return c.server.exitError()
	default:
		return nil
	}
}

// Pid is the process id of the postmaster.
func (c *Cluster) Pid() int { return c.server.pid }

// commandError says what a program that failed has printed.
func commandError(cmd *exec.Cmd, out []byte, err error) error {
	if text := strings.TrimSpace(string(out)); text != "" {
		return fmt.Errorf("%s: %w:\n%s", cmd.Path, err, text)
	}
	return fmt.Errorf("%s: %w", cmd.Path, err)
}
