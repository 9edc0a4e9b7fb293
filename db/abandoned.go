package db

import (
	"context"
	"sync"
	"time"

	"github.com/pgtape/pgtape/db/hosts"
)

// abandoned counts the statements of which the callers have left: detach.go. While there are some, the
// pool looks by itself whether their server has been replaced, so that it needs no tape reader to hear
// of it. There are never more of them than the pool has connections.
type abandoned struct {
	mu      sync.Mutex
	count   int
	looking bool
	closed  bool
	stop    context.CancelFunc // of the goroutine that looks
	ended   chan struct{}      // closed when it has ended
}

const (
	// lookPause is between looks, each of which makes a connection.
	lookPause = 2 * time.Second
	// giveUpAfter is how long no server must have been reached for the statements to be given up.
	giveUpAfter = 30 * time.Second
)

// add counts a statement; ended is to be called when it has ended.
func (a *abandoned) add(p *pool) (ended func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count++
	if !a.looking && !a.closed {
		ctx, stop := context.WithCancel(context.Background())
		a.looking, a.stop, a.ended = true, stop, make(chan struct{})
		go a.look(ctx, p, a.ended)
	}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.count--
	}
}

// close ends the looking, and waits for that.
func (a *abandoned) close() {
	a.mu.Lock()
	a.closed = true
	looking, ended := a.looking, a.ended
	if looking {
		a.stop()
	}
	a.mu.Unlock()
	if looking {
		<-ended
	}
}

// look connects again and again until no abandoned statement is left. When a standby has been promoted
// Servers.Use has the connections to the server of before cut; when there is no server, all are.
func (a *abandoned) look(ctx context.Context, p *pool, ended chan struct{}) {
	defer close(ended)
	for reached := time.Now(); pause(ctx, lookPause) == nil; {
		a.mu.Lock()
		if a.looking = a.count > 0; !a.looking {
			a.mu.Unlock()
			return
		}
		a.mu.Unlock()
		if err := p.findServer(ctx); err == nil || pgErrorOf(err) != nil {
			reached = time.Now()
		}
		if time.Since(reached) > giveUpAfter {
			p.conns.Reset()
			p.sessions.cutAll()
		}
	}
}

// findServer makes a connection beside the pool, and notes to what server.
func (p *pool) findServer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.servers.Patience())
	defer cancel()
	conn, err := p.servers.Connect(ctx, p.conns.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var timeline string
	if err := conn.QueryRow(ctx, "select "+hosts.Timeline).Scan(&timeline); err != nil {
		return err
	}
	return p.servers.Use(hosts.ParseTimeline(timeline))
}
