package db_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
)

// syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) has(part string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Contains(b.text.String(), part)
}

// passwordIsRotated is a part of TestServersOfAURL, with whose pair it is done: the password changes
// in Postgres, all connections end, and later the passfile has the new one too. url has the password.
func passwordIsRotated(t *testing.T, p *dbtest.Pair, url string) {
	ctx := t.Context()
	passfile := filepath.Join(t.TempDir(), "pgpass")
	write := func(password string) {
		if err := os.WriteFile(passfile, []byte("*:*:*:*:"+password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("secret")
	d, err := db.Open(ctx, strings.Replace(url, ":secret@", "@", 1)+"&passfile="+passfile, db.Options{AsServer: true, MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	p.First.Exec("select pgtape.create_market('rotated', 'Will it?')")
	sink, log := &heardOf{market: "rotated"}, &syncBuffer{}
	reader := tape.NewReader(tape.Options{URL: d.URL(), Servers: d.Servers(), Mode: tape.WAL, Log: slog.New(slog.NewTextHandler(log, nil))})
	running, stop := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = reader.Run(running, sink) })
	defer tasks.Wait()
	defer stop()
	is := func(want tape.State) bool { _, _, state := sink.count(); return state == want }
	eventually(t, "the reader to be live", func() bool { return is(tape.Live) })

	p.First.Exec("alter role " + db.OwnServer + " password 'rotated'")
	defer p.First.Exec("alter role " + db.OwnServer + " password 'secret'")
	p.First.Exec("select pg_terminate_backend(pid) from pg_stat_activity where usename = '" + db.OwnServer + "'")
	eventually(t, "the reader to log why it is lost", func() bool { return is(tape.Lost) && log.has("password authentication failed") })
	eventually(t, "a refused password to be told as such", func() bool {
		asking, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		_, err := d.Account(asking, "nobody")
		var e *db.Error
		if db.CodeOf(err) != db.Unavailable {
			t.Fatalf("told %v, want unavailable", err)
		}
		return errors.As(err, &e) && e.Reason == db.ReasonLogin
	})

	write("rotated")
	eventually(t, "the pool to come back", func() bool { _, err := d.Account(ctx, "nobody"); return db.CodeOf(err) == db.NotFound })
	eventually(t, "the reader to come back", func() bool { return is(tape.Live) })
	p.First.Exec("select pgtape.halt_market('rotated', 'to see it')")
	eventually(t, "an event after it", func() bool { events, _, _ := sink.count(); return events > 0 })
}
