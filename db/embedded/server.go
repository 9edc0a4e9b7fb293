package embedded

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
)

// server is one postmaster, a child of this process.
type server struct {
	pid  int
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has been waited for
	err  error         // how it ended; read after done

	log      *logFile
	expected atomic.Bool // its end was ordered
	keepers  sync.WaitGroup
}

// startServer runs the postmaster in a session of its own, so that a Ctrl-C in the terminal
// reaches this process alone and the two end in order. It returns before the server is ready.
func startServer(dir *dataDir, r record, settings settings) (*server, error) {
	log, err := openLog(dir)
	if err != nil {
		return nil, err
	}
	args := []string{"-D", dir.pgdata()}
	args = append(args, settings.args(r)...)
	cmd := dir.account.command(filepath.Join(r.BinDir, "postgres"), args...)
	cmd.Dir = dir.pgdata()
	cmd.Stdout, cmd.Stderr = log.file, log.file
	cmd.SysProcAttr.Setsid = true
	dieWithParent(cmd.SysProcAttr)

	s := &server{cmd: cmd, done: make(chan struct{}), log: log}
	started := make(chan error, 1)
	s.keepers.Go(func() { s.run(started) })
	if err := <-started; err != nil {
		s.keepers.Wait()
		log.close()
		return nil, fmt.Errorf("starting Postgres: %w", err)
	}
	s.pid = cmd.Process.Pid
	s.keepers.Go(func() { log.keepBounded(s.done) })
	return s, nil
}

// run starts the process and waits for its end, on one thread all along: on Linux the kernel
// tells the server to stop when the thread that forked it ends.
func (s *server) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := s.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	s.err = s.cmd.Wait()
	close(s.done)
}

// signal orders a shutdown: SIGINT a fast one, SIGQUIT an immediate one.
func (s *server) signal(sig syscall.Signal) {
	// The only failure is that the process has ended, which done reports.
	_ = s.cmd.Process.Signal(sig)
}

func (s *server) expectExit() { s.expected.Store(true) }

// exitError says how the server ended; nil if its end was ordered. Call it after done.
func (s *server) exitError() error {
	if s.expected.Load() {
		return nil
	}
	state := "exit status 0"
	if s.err != nil {
		state = s.err.Error()
	}
	return fmt.Errorf("the embedded Postgres ended by itself (%s)%s", state, s.lastWords())
}

// lastWords is the end of what the server has logged since it was started.
func (s *server) lastWords() string {
	if text := s.log.tail(); text != "" {
		return "; its log " + s.log.path + " ends:\n" + text
	}
	return ""
}

// close frees what belongs to a server that has ended.
func (s *server) close() {
	s.keepers.Wait()
	s.log.close()
}

// choosePort returns the fixed port if it is free; else the remembered one, else any free one.
func choosePort(dir *dataDir, fixed int) (int, error) {
	if fixed != 0 {
		if !portFree(fixed) {
			return 0, fmt.Errorf("port %d on 127.0.0.1 is taken; choose another for the embedded Postgres", fixed)
		}
		return fixed, nil
	}
	if r, err := dir.readRecord(); err == nil && r.Port != 0 && portFree(r.Port) {
		return r.Port, nil
	}
	return freePort()
}

// freePort is a port on 127.0.0.1 that nobody has at this moment.
func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("finding a free port on 127.0.0.1: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func portFree(port int) bool {
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// environment is what the server's programs need of ours. All else stays here: it may hold
// secrets, or PG… variables meant for clients.
func environment() []string {
	env := []string{"LC_ALL=C"}
	for _, name := range []string{
		"PATH", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH",
	} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}
