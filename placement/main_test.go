package placement_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/dbtest"
)

// The test binary is a server of its own when one of these is set.
const (
	asAsker     = "PGTAPE_TEST_ASKS"     // the URL of a database
	asForwarder = "PGTAPE_TEST_FORWARDS" // the address of another server
)

func TestMain(m *testing.M) {
	switch database, origin := os.Getenv(asAsker), os.Getenv(asForwarder); {
	case database != "":
		serve(asker(database))
	case origin != "":
		serve(forwarder(origin))
	default:
		dbtest.Main(m)
	}
}

// serve says where it listens, and goes on until its input ends.
func serve(handler http.Handler) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	go func() { log.Fatal((&http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}).Serve(listener)) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// asker answers with what ?q= queries say, one after the other, on a connection that stands.
func asker(database string) http.Handler {
	conn, err := pgx.Connect(context.Background(), database)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := conn.Exec(context.Background(), "select 1"); err != nil {
		log.Fatal(err)
	}
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		q, _ := strconv.Atoi(r.FormValue("q"))
		for range q {
			if _, err := conn.Exec(r.Context(), "select 1"); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		fmt.Fprintln(w, q)
	})
}

// forwarder hands each request on, over a connection that stands.
func forwarder(origin string) http.Handler {
	ask := func(uri string) ([]byte, error) {
		response, err := http.Get("http://" + origin + uri)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		return io.ReadAll(response.Body)
	}
	if _, err := ask("/"); err != nil {
		log.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := ask(r.URL.RequestURI())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		_, _ = w.Write(body)
	})
}
