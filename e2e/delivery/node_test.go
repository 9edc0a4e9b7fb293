package delivery

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// node is one pgtape and, as systemd would, starts it again whenever it has ended.
type node struct {
	t        *testing.T
	database string
	listen   string
	log      *os.File
	done     chan struct{}

	mu      sync.Mutex
	source  string // --source
	process *os.Process
	serving bool // the process has answered
	ordered bool // its end was
	over    bool
	starts  int
}

func newNode(t *testing.T, database string) *node {
	t.Helper()
	dir := *keep
	if dir == "" {
		dir = t.TempDir()
	}
	log, err := os.CreateTemp(dir, "pgtape-*.log")
	must(t, err)
	n := &node{
		t: t, database: database, log: log, done: make(chan struct{}), source: "auto",
		listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(freePort(t))),
	}
	go n.keepRunning()
	return n
}

func (n *node) keepRunning() {
	defer close(n.done)
	for {
		n.mu.Lock()
		if n.over {
			n.mu.Unlock()
			return
		}
		cmd := exec.Command(binary, "serve", "--database-url", n.database, "--listen", n.listen,
			"--source", n.source, "--replay-limit", strconv.Itoa(replayLimit), "--no-limits", "--drain", "500ms")
		cmd.Stdout, cmd.Stderr = n.log, n.log
		err := cmd.Start()
		if err != nil {
			n.t.Errorf("starting pgtape: %v", err)
			n.mu.Unlock()
			return
		}
		n.process, n.serving, n.ordered = cmd.Process, false, false
		n.starts++
		n.mu.Unlock()

		ended := make(chan struct{})
		go n.awaitServing(ended)
		err = cmd.Wait()
		close(ended)
		n.mu.Lock()
		if n.serving && !n.ordered {
			n.t.Errorf("pgtape ended by itself: %v", err)
		}
		n.process = nil
		n.mu.Unlock()
		<-time.After(400 * time.Millisecond)
	}
}

func (n *node) awaitServing(ended <-chan struct{}) {
	for {
		select {
		case <-ended:
			return
		case <-time.After(50 * time.Millisecond):
		}
		if answer, err := http.Get("http://" + n.listen + "/healthz"); err == nil {
			answer.Body.Close()
			n.mu.Lock()
			n.serving = true
			n.mu.Unlock()
			return
		}
	}
}

// signal ends the process, to be started again with the source that is set.
func (n *node) signal(signal syscall.Signal) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ordered = true
	if n.process != nil {
		_ = n.process.Signal(signal)
	}
}

func (n *node) switchSource(source string) {
	n.mu.Lock()
	n.source = source
	n.mu.Unlock()
	n.signal(syscall.SIGTERM)
}

// stop ends it for good and looks at what it has said.
func (n *node) stop() {
	n.mu.Lock()
	n.over = true
	n.mu.Unlock()
	n.signal(syscall.SIGTERM)
	<-n.done
	text, err := os.ReadFile(n.log.Name())
	must(n.t, err)
	n.log.Close()
	for _, word := range []string{"panic: ", "DATA RACE", "fatal error: "} {
		if at := bytes.Index(text, []byte(word)); at >= 0 {
			n.t.Errorf("pgtape's log:\n%s", text[at:min(len(text), at+4000)])
		}
	}
}

// awaitReady waits until the node says that it is ready.
func (n *node) awaitReady(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(recoverWithin); ; <-time.After(20 * time.Millisecond) {
		answer, err := http.Get("http://" + n.listen + "/readyz")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("pgtape is not ready: %v %v", answer, err)
		}
	}
}

// metric reads one of the node's metrics, past the link; 0 if it has none of that name.
func (n *node) metric(name string) (float64, error) {
	answer, err := http.Get("http://" + n.listen + "/metrics")
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindSubmatch(text)
	if m == nil {
		return 0, nil
	}
	value, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		return 0, fmt.Errorf("metric %s: %w", name, err)
	}
	return value, nil
}
