package db_test

import (
	"net"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
)

// A reader that pgx has left behind on a connection must not hold up who looks at it.
func TestAConnectionIsLookedAtWhileSomebodyReadsIt(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	peer, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()

	read := make(chan struct{}) // one for each byte, closed at the end
	go func() {
		defer close(read)
		for b := make([]byte, 1); ; {
			if _, err := conn.Read(b); err != nil {
				return
			}
			read <- struct{}{}
		}
	}()
	look := func() bool {
		t.Helper()
		seen := make(chan bool, 1)
		go func() { seen <- db.Quiet(conn) }()
		select {
		case quiet := <-seen:
			return quiet
		case <-time.After(10 * time.Second):
			t.Fatal("looking at the connection waits for its reader")
			return false
		}
	}
	// The reader has had a byte, and waits for the next.
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	<-read
	for range 100 {
		if !look() {
			t.Fatal("a connection that stands, without a word, is not quiet")
		}
	}
	if err := peer.Close(); err != nil {
		t.Fatal(err)
	}
	<-read
	if look() {
		t.Error("a connection that has ended is quiet")
	}
}
