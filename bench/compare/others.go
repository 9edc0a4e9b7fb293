package compare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pgtape/pgtape/bench"
	"github.com/pgtape/pgtape/bench/rivals"
)

// fanOut runs the benchmark of the package server that sends through its hub and through melody's
// own broadcast.
func fanOut(ctx context.Context, w *world) error {
	if w.FanOut == "" {
		return errors.New("left out: no test program was given")
	}
	cmd := exec.CommandContext(ctx, w.FanOut, "-test.run", "^$", "-test.bench", "^BenchmarkFanOut$", "-test.benchtime", w.Duration.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for _, way := range []string{"hub", "melody"} {
		line := regexp.MustCompile(`BenchmarkFanOut/` + way + `\S*\s.*?([\d.]+) events/s`).FindSubmatch(out)
		if line == nil {
			return fmt.Errorf("no figure of %s in %s", way, out)
		}
		if w.figures["fanout."+way], err = strconv.ParseFloat(string(line[1]), 64); err != nil {
			return err
		}
	}
	return nil
}

const eventservSockets = 1000

// eventserv lets pg_eventserv push as many notifications to as many sockets as the crowds have.
func eventserv(ctx context.Context, w *world) error {
	if w.Eventserv == "" {
		return errors.New("left out: its program was not given")
	}
	if err := eventservAt(ctx, w, "eventserv", 100); err != nil {
		return err
	}
	return eventservAt(ctx, w, "eventserv500", 500)
}

// eventservAt sends so many notifications per second, and notes the figures under a name.
func eventservAt(ctx context.Context, w *world, name string, rate float64) (err error) {
	if err := w.level(ctx); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	cmd := exec.Command(w.Eventserv)
	cmd.Env = append(os.Environ(), "DATABASE_URL="+w.Superuser, "ES_HTTPHOST=127.0.0.1", "ES_HTTPPORT="+strconv.Itoa(port))
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // its exit code says nothing
		_ = cmd.Wait()
	}()
	if err := awaitPort(ctx, port); err != nil {
		return err
	}

	watching, stop := context.WithCancel(ctx)
	defer stop()
	var times bench.Stopwatch
	var heard atomic.Int64
	opened, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		address := fmt.Sprintf("ws://127.0.0.1:%d/listen/bench", port)
		ended <- bench.Watch(watching, address, eventservSockets, func() { close(opened) }, func(who int, message []byte, received time.Time) {
			if at, ok := timeOf(message); ok {
				times.Record(who, received.Sub(at))
				heard.Add(1)
			}
		})
	}()
	select {
	case <-opened:
	case err := <-ended:
		return err
	}
	began := time.Now()
	sent, err := rivals.Notify(ctx, w.Superuser, "bench", rate, w.Duration)
	for deadline := time.Now().Add(10 * time.Second); heard.Load() < sent*eventservSockets && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	took := time.Since(began).Seconds()
	stop()
	<-ended
	if missing := sent*eventservSockets - heard.Load(); missing > 0 {
		w.note("pg_eventserv at %.0f/s: %d of %d frames had not come 10 s after the last was sent", rate, missing, sent*eventservSockets)
	}
	l := times.Latency()
	w.figures[name+".p50"], w.figures[name+".p99"] = l.P50, l.P99
	w.figures[name+".delivered"] = float64(heard.Load()) / took
	return err
}

func timeOf(message []byte) (time.Time, bool) {
	_, rest, ok := bytes.Cut(message, []byte(`"at":`))
	digits, _, _ := bytes.Cut(rest, []byte(`,`))
	micros, err := strconv.ParseInt(string(digits), 10, 64)
	return time.UnixMicro(micros), ok && err == nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func awaitPort(ctx context.Context, port int) error {
	for deadline := time.Now().Add(10 * time.Second); ; {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("it does not answer: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
