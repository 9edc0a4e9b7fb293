package tape

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/pgtape/pgtape/db/hosts"
)

// Options of a reader.
type Options struct {
	URL         string        // of the database; the login needs pgtape_server, and REPLICATION for WAL
	Mode        Mode          // Auto by default
	Reconcile   time.Duration // pause between comparisons of all heads, and looks at our slot; 0: 2 s
	Probe       time.Duration // pause between signs of life sent through the stream; 0: 400 ms. Three of it without one: lost
	MaxRetained int64         // bytes of WAL that the server may keep for us before the slot is given up; 0: its max_wal_size
	Recheck     time.Duration // pause, in Auto and by NOTIFY, between looks whether the WAL can be read; 0: 30 s
	Log         *slog.Logger

	// Early delivers an event as soon as it is in the WAL, also where its commit waits for a standby.
	// A failover may take it back: it is for tests of those who must bear an event that is ahead of
	// the table, as every event is for a moment.
	Early bool

	// Servers are those of the URL, if a pool connects to the same. nil: of the reader's own.
	Servers *hosts.Servers
}

func (o Options) withDefaults() Options {
	o.Mode = cmp.Or(o.Mode, Auto)
	o.Reconcile = cmp.Or(o.Reconcile, 2*time.Second)
	o.Probe = cmp.Or(o.Probe, 400*time.Millisecond)
	o.Recheck = cmp.Or(o.Recheck, 30*time.Second)
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if o.Servers == nil {
		o.Servers = hosts.New(o.URL)
	}
	return o
}

// Reader follows the tape of one database, through losses of its connection.
type Reader struct {
	options Options
	follower
	condition

	timeline uint32 // of the server that the table is read from; 0: unknown

	newStream func(mode Mode, url string) stream
	slots     []string      // that we have opened and the server may still have
	drops     int64         // slots given up
	rest      time.Duration // before the next is made

	// patience is how long the database may take to answer. It grows when it was too short, so that
	// a slow database is read in the end, and is itself again when the reader is live.
	patience time.Duration

	// failures are the attempts in a row at which the WAL could not be opened, failure the last of them.
	failures int
	failure  error
}

// NewReader makes a reader; Run starts it.
func NewReader(o Options) *Reader {
	o = o.withDefaults()
	r := &Reader{options: o}
	r.newStream = func(mode Mode, url string) stream { return r.streamOf(mode, url, stallLimit) }
	r.limit, r.patience = 3*o.Probe, 3*o.Probe
	r.status, r.since = Status{Mode: o.Mode, State: Lost}, time.Now()
	return r
}

func (r *Reader) streamOf(mode Mode, url string, stall time.Duration) stream {
	if mode == WAL {
		return newWALStream(url, r.serversOf(url), stall)
	}
	return &notifyStream{url: url, servers: r.serversOf(url), stall: stall}
}

// serversOf are the reader's, unless a stream is to connect elsewhere.
func (r *Reader) serversOf(url string) *hosts.Servers {
	if url == r.options.URL {
		return r.options.Servers
	}
	return hosts.New(url)
}

// Pauses before a lost source is opened again.
const (
	minPause = 50 * time.Millisecond
	maxPause = 2 * time.Second
)

// Run delivers to the sink until ctx ends. A lost source is opened again after a growing pause,
// and what was committed meanwhile is delivered first.
func (r *Reader) Run(ctx context.Context, sink Sink) error {
	r.sink = sink
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		began := time.Now()
		err := r.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) > maxPause {
			pause = minPause
		}
		r.setState(Lost) // if there never was a connection
		if lost(err) {
			r.options.Servers.Lost()
		}
		r.options.Log.Warn("tape lost", "err", err, "retry_in", pause)
		if !sleep(ctx, pause/2+rand.N(pause)) {
			return nil
		}
	}
}

// follow opens the source and delivers from it until it breaks.
func (r *Reader) follow(ctx context.Context) error {
	conn, err := dial(ctx, r.options.URL, r.options.Servers)
	if err != nil {
		return err
	}
	defer hangUp(ctx, conn)
	s := &session{Reader: r, table: backlog{conn, r.ask}}
	r.turned = s.turned
	err = s.run(ctx)
	if ctx.Err() == nil {
		r.setState(Lost) // before anything is closed, which may take a while
	}
	s.now.close()
	s.next.close()
	r.count(nil)
	return err
}

// ask calls what asks the database, which has to answer within r.patience. Also when that is
// longer than usual, a database that is silent for the usual time is lost until it answers.
func (r *Reader) ask(ctx context.Context, question func(context.Context) error) error {
	asking, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	var err error
	if r.patience > r.limit {
		err = r.askPatiently(asking, question)
	} else {
		err = question(asking)
	}
	if err != nil && asking.Err() != nil && ctx.Err() == nil {
		r.patience = min(2*r.patience, 16*r.limit)
	}
	return err
}

func (r *Reader) askPatiently(ctx context.Context, question func(context.Context) error) error {
	answered := make(chan error, 1)
	go func() { answered <- question(ctx) }()
	select {
	case err := <-answered:
		return err
	case <-time.After(r.limit):
	}
	was := r.Status().State
	r.setState(Lost)
	err := <-answered
	if err == nil && was == CatchingUp {
		r.setState(CatchingUp)
	}
	return err
}

// choose tells which mode to open, and why. The WAL may be allowed and still not to be had, behind
// a pooler for instance.
func (r *Reader) choose(ctx context.Context, table backlog) (mode Mode, why string, err error) {
	err = table.ask(ctx, func(ctx context.Context) error {
		mode, why, err = Choose(ctx, table.conn, r.options.Mode)
		return err
	})
	if mode == WAL && r.options.Mode == Auto && r.failures >= 2 {
		return Notify, "the WAL could not be opened: " + r.failure.Error(), nil
	}
	return mode, why, err
}

// open opens a stream beside the connection to the table.
func (r *Reader) open(ctx context.Context, mode Mode, why string) *source {
	s := r.newStream(mode, r.options.URL)
	if w, ok := s.(*walStream); ok {
		w.timeline = r.timeline
	}
	if s, ok := s.(slotted); ok {
		r.slots = append(r.slots, s.slotName())
	}
	return open(ctx, s, mode, why)
}

// release ends what the server may have left of streams that are closed.
func (r *Reader) release(ctx context.Context, table backlog) {
	if len(r.slots) == 0 {
		return
	}
	if err := release(ctx, table, r.slots); err != nil {
		r.options.Log.Warn("a walsender of before may still be there", "err", err)
	}
	r.slots = nil
}
