package lag_test

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/pgtape/pgtape/e2e/lag"
)

// echoing is a proxy to a server that sends back what it hears.
func echoing(t *testing.T, oneWay time.Duration) *lag.Proxy {
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
	p, err := lag.New(listener.Addr().String(), oneWay)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func dial(t *testing.T, p *lag.Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Minute))
	return conn
}

func echo(t *testing.T, conn net.Conn, message []byte) (took time.Duration) {
	t.Helper()
	began := time.Now()
	go func() { _, _ = conn.Write(message) }()
	back := make([]byte, len(message))
	if _, err := io.ReadFull(conn, back); err != nil || !bytes.Equal(back, message) {
		t.Fatalf("another message came back (%v)", err)
	}
	return time.Since(began)
}

func TestTripsAreCountedAndTakeTheirTime(t *testing.T) {
	t.Parallel()
	const oneWay = 20 * time.Millisecond
	p := echoing(t, oneWay)
	began := time.Now()
	conn := dial(t, p)
	echo(t, conn, []byte("first"))
	// The first has the handshake of TCP before it.
	if took := time.Since(began); took < 4*oneWay {
		t.Errorf("the first answer came after %v, want %v at least", took, 4*oneWay)
	}
	for range 3 {
		if took := echo(t, conn, []byte("next")); took < 2*oneWay {
			t.Errorf("an answer came after %v, want %v at least", took, 2*oneWay)
		}
	}
	if got, want := p.Count(), (lag.Count{Conns: 1, Trips: 4}); got != want {
		t.Errorf("count = %+v, want %+v", got, want)
	}
	before := p.Count()
	echo(t, dial(t, p), []byte("another connection"))
	if got := p.Count().Since(before); got.All() != 2 {
		t.Errorf("a new connection's first words: %+v, want 2 round trips", got)
	}
}

// Much takes no longer than little: only the way is long.
func TestALongWayIsNotANarrowOne(t *testing.T) {
	t.Parallel()
	conn := dial(t, echoing(t, 20*time.Millisecond))
	if took := echo(t, conn, bytes.Repeat([]byte("0123456789abcdef"), 64<<10)); took > 10*time.Second {
		t.Errorf("1 MiB there and back in %v", took)
	}
}

func TestAnEndIsCarried(t *testing.T) {
	t.Parallel()
	conn := dial(t, echoing(t, time.Millisecond))
	echo(t, conn, []byte("words"))
	_ = conn.(*net.TCPConn).CloseWrite()
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("error = %v, want the end", err)
	}
}
