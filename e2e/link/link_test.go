package link_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/pgtape/pgtape/e2e/link"
)

// echoing is a link to a server that sends back what it hears, and a connection through it.
func echoing(t *testing.T) (*link.Link, net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	l, err := link.New(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, dial(t, l)
}

func dial(t *testing.T, l *link.Link) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// echo sends a message and waits for it to come back.
func echo(conn net.Conn, message []byte, within time.Duration) (took time.Duration, err error) {
	start := time.Now()
	if err := conn.SetDeadline(start.Add(within)); err != nil {
		return 0, err
	}
	sent := make(chan error, 1)
	go func() {
		_, err := conn.Write(message)
		sent <- err
	}()
	back := make([]byte, len(message))
	_, err = io.ReadFull(conn, back)
	if err = errors.Join(err, <-sent); err == nil && !bytes.Equal(back, message) {
		err = errors.New("another message came back")
	}
	return time.Since(start), err
}

func TestLink(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte("0123456789abcdef"), 64<<10) // 1 MiB

	t.Run("carries", func(t *testing.T) {
		t.Parallel()
		_, conn := echoing(t)
		if _, err := echo(conn, long, time.Minute); err != nil {
			t.Error(err)
		}
	})
	t.Run("delays", func(t *testing.T) {
		t.Parallel()
		l, conn := echoing(t)
		l.Delay(50*time.Millisecond, 10*time.Millisecond)
		if took, err := echo(conn, []byte("late"), time.Minute); err != nil || took < 100*time.Millisecond {
			t.Errorf("there and back in %v (%v), want 100 ms at least", took, err)
		}
	})
	t.Run("limits", func(t *testing.T) {
		t.Parallel()
		l, conn := echoing(t)
		l.Limit(256 << 10)
		if took, err := echo(conn, long[:64<<10], time.Minute); err != nil || took < 200*time.Millisecond {
			t.Errorf("64 KiB there and back at 256 KiB/s in %v (%v)", took, err)
		}
	})
	t.Run("freezes and mends", func(t *testing.T) {
		t.Parallel()
		l, conn := echoing(t)
		l.Freeze()
		if _, err := echo(conn, []byte("held"), 200*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("error = %v, want none to come back", err)
		}
		l.Mend()
		back := make([]byte, 4)
		_ = conn.SetDeadline(time.Now().Add(10 * time.Minute))
		if _, err := io.ReadFull(conn, back); err != nil || string(back) != "held" {
			t.Errorf("%q came back (%v)", back, err)
		}
	})
	t.Run("cuts, also what is frozen, and mends", func(t *testing.T) {
		t.Parallel()
		l, conn := echoing(t)
		l.Freeze()
		if _, err := echo(conn, []byte("held"), 100*time.Millisecond); err == nil {
			t.Error("a frozen link carries")
		}
		l.Cut()
		if _, err := echo(conn, []byte("cut"), time.Minute); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
			t.Errorf("error = %v, want a reset", err)
		}
		if again, err := net.Dial("tcp", l.Address()); err == nil {
			defer again.Close()
			if _, err := echo(again, []byte("cut"), time.Minute); err == nil {
				t.Error("a cut link lets somebody through")
			}
		}
		l.Mend()
		if _, err := echo(dial(t, l), []byte("new"), time.Minute); err != nil {
			t.Error(err)
		}
	})
}
