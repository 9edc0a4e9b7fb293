package tape

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options of a reader.
type Options struct {
	URL       string        // of the database; the login needs pgtape_server, and REPLICATION for WAL
	Mode      Mode          // Auto by default
	Reconcile time.Duration // pause between comparisons of all heads; 0: 2 s
	Probe     time.Duration // pause between signs of life sent through the stream; 0: 500 ms
	Log       *slog.Logger
}

// Reader follows the tape of one database, through losses of its connection.
type Reader struct {
	options Options
	follower

	mu     sync.Mutex
	status Status
}

// NewReader makes a reader; Run starts it.
func NewReader(o Options) *Reader {
	if o.Mode == "" {
		o.Mode = Auto
	}
	if o.Reconcile == 0 {
		o.Reconcile = 2 * time.Second
	}
	if o.Probe == 0 {
		o.Probe = 500 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Reader{options: o, status: Status{Mode: o.Mode, State: Lost}}
}

// Status tells how the reader is doing.
func (r *Reader) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
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
		r.setState(Lost)
		r.options.Log.Warn("tape lost", "err", err, "retry_in", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
}

// signal is what a stream tells the reader.
type signal struct {
	event *Event // a committed event, from the WAL
	bell  string // a market in which something was committed
	ready bool   // from now on nothing is missed
	alive string // a probe that has come back
}

// stream tells of commits in one mode. run sends to signals until ctx ends or the stream breaks;
// probe sends a sign of life that comes back as signal.alive.
type stream interface {
	run(ctx context.Context, signals chan<- signal) error
	probe(ctx context.Context, table *pgx.Conn, id string) error
}

// follow opens the source and delivers from it until it breaks.
func (r *Reader) follow(ctx context.Context) error {
	table, err := connect(ctx, r.options.URL)
	if err != nil {
		return err
	}
	defer table.Close(context.WithoutCancel(ctx))
	mode, why, err := Choose(ctx, table, r.options.Mode)
	if err != nil {
		return err
	}
	r.opened(mode, why)

	var source stream
	if mode == WAL {
		source = &walStream{url: r.options.URL}
	} else {
		source = &notifyStream{url: r.options.URL, table: table}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals := make(chan signal, 256)
	broken := make(chan error, 1)
	go func() { broken <- source.run(ctx, signals) }()

	err = r.deliver(ctx, backlog{table}, source, signals, broken)
	cancel()
	if err == errBroken {
		return <-broken
	}
	for { // until the stream's goroutine has ended
		select {
		case <-signals:
		case streamErr := <-broken:
			return errors.Join(err, streamErr)
		}
	}
}

var errBroken = errors.New("stream broken")

// deliver is the one place from which the sink is called while a source is open.
func (r *Reader) deliver(ctx context.Context, table backlog, source stream, signals <-chan signal, broken chan error) error {
	if err := r.start(ctx, table); err != nil {
		return err
	}
	r.setState(CatchingUp)
	p := pulse{every: r.options.Probe, reconcileEvery: r.options.Reconcile}
	poll := time.NewTicker(100 * time.Millisecond) // the table, until the stream is ready
	defer poll.Stop()
	probe := time.NewTicker(r.options.Probe)
	defer probe.Stop()
	live := false

	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case streamErr := <-broken:
			broken <- streamErr // for follow, which returns it
			return errBroken
		case s := <-signals:
			if s.ready {
				poll.Stop()
				live = true
				err = r.catchUp(ctx, table)
				r.setState(Live)
			} else {
				err = r.take(ctx, table, s, &p)
			}
		case <-poll.C:
			if !live {
				err = r.catchUp(ctx, table)
			}
		case <-probe.C:
			if live {
				err = p.send(ctx, source, table, &r.follower, len(signals) > 0)
			}
		}
		if err != nil {
			return err
		}
		r.count()
	}
}

func (r *Reader) take(ctx context.Context, table backlog, s signal, p *pulse) error {
	switch {
	case s.event != nil:
		return r.accept(ctx, table, *s.event)
	case s.bell != "":
		return r.fetch(ctx, table, s.bell)
	case s.alive != "":
		return r.alive(ctx, table, s.alive, p)
	}
	return nil
}

// alive takes a sign of life that has come back.
func (r *Reader) alive(ctx context.Context, table backlog, id string, p *pulse) error {
	lag, a, ok := p.received(id)
	if !ok {
		return nil
	}
	r.mu.Lock()
	r.status.Lag = lag
	r.mu.Unlock()
	if a == nil {
		return nil
	}
	return r.reconcile(ctx, table, a)
}

func (r *Reader) opened(mode Mode, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status.Mode != mode || r.status.Why != why {
		r.options.Log.Info("reading the tape", "mode", mode, "why", why)
	}
	r.status.Mode, r.status.Why = mode, why
	r.status.Connects++
}

func (r *Reader) setState(state State) {
	r.mu.Lock()
	changed := r.status.State != state
	r.status.State = state
	r.mu.Unlock()
	if changed {
		r.options.Log.Info("tape reader", "state", state)
		r.sink.SetState(state)
	}
}

func (r *Reader) count() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Delivered, r.status.Reconciled, r.status.Resets = r.delivered, r.reconciled, r.resets
}

// connect opens a connection of the reader's own, so that no pool can starve it.
func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	config.RuntimeParams["application_name"] = "pgtape reader"
	config.RuntimeParams["timezone"] = "UTC"
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	return conn, nil
}
