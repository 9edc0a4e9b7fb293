package compare

import (
	"context"
	"errors"

	"github.com/pgtape/pgtape/bench"
	"github.com/pgtape/pgtape/bench/rivals"
	"github.com/pgtape/pgtape/client"
)

// step is one thing that each round measures.
type step struct {
	name    string
	measure func(context.Context, *world) error
}

var steps = []step{
	{"direct", func(ctx context.Context, w *world) error {
		_, err := w.rival(ctx, "direct", "direct", rivals.Options{Connections: 32})
		return err
	}},
	{"hot", hot},
	{"batch", batch},
	{"watched", watched},
	{"serializable", func(ctx context.Context, w *world) error {
		_, err := w.rival(ctx, "serializable", "serializable", rivals.Options{Connections: 32})
		if err != nil {
			return err
		}
		_, err = w.rival(ctx, "serializable4", "serializable", rivals.Options{Connections: 4})
		return err
	}},
	{"commit", func(ctx context.Context, w *world) error {
		_, err := w.rival(ctx, "commit", "commit", rivals.Options{Connections: 1, Duration: w.Duration / 2})
		if err != nil {
			return err
		}
		_, err = w.rival(ctx, "commit32", "commit", rivals.Options{Connections: 32, Duration: w.Duration / 2})
		return err
	}},
	{"lone", func(ctx context.Context, w *world) error {
		_, err := w.load(ctx, "lone", bench.Options{Clients: 1, Markets: 1, Sockets: 1, OneByOne: true})
		return err
	}},
	{"wide", func(ctx context.Context, w *world) error {
		if _, err := w.rival(ctx, "directwide", "direct", rivals.Options{Connections: 32, Markets: 100}); err != nil {
			return err
		}
		_, err := w.load(ctx, "wide", bench.Options{Clients: 64, Markets: 100, Sockets: 1, OneEach: true})
		return err
	}},
	{"crowd", crowd},
	{"quote", func(ctx context.Context, w *world) error {
		report, err := w.load(ctx, "quote", bench.Options{Clients: 32, Markets: 1, Sockets: 10_000, Mode: client.Latest, Rate: 1000})
		if each := report.Cost.PerSocket; err == nil && each != nil {
			w.figures["quote.rss"] = *each
		}
		return err
	}},
	{"reads", reads},
	{"storm", func(ctx context.Context, w *world) error {
		report, err := w.load(ctx, "storm", bench.Options{Clients: 4, Markets: 1, Sockets: 1000, Rate: 50, Storm: true})
		if s := report.Storm; err == nil && s != nil {
			w.figures["storm.p50"], w.figures["storm.all"] = s.LiveAgain.P50, s.LiveAgain.Max
			w.figures["storm.snapshots"] = float64(s.Snapshots)
		}
		return err
	}},
	{"fanout", fanOut},
	{"eventserv", eventserv},
}

// hot is one market that all trade on, through HTTP; the tape reader is on.
func hot(ctx context.Context, w *world) error {
	if _, err := w.load(ctx, "hot", bench.Options{Clients: 64, Markets: 1, Sockets: 1}); err != nil {
		return err
	}
	_, err := w.load(ctx, "hot256", bench.Options{Clients: 256, Markets: 1, Sockets: 1})
	return err
}

// batch is the batch function from one connection: by itself, and while a server reads the tape.
func batch(ctx context.Context, w *world) error {
	for name, size := range map[string]int{"batch32": 32, "batch": 64} {
		report, err := w.rival(ctx, name, "batch", rivals.Options{Batch: size})
		if err != nil {
			return err
		}
		w.figures[name+".order"] = report.Seconds * 1e6 / float64(report.Accepted)
	}
	s, err := w.Serve(ctx)
	if err != nil {
		return err
	}
	_, err = w.rival(ctx, "batchread", "batch", rivals.Options{Batch: 64})
	return errors.Join(err, s.Stop())
}

// watched is the hot market with a hundred who watch it: as fast as it goes, and at half the rate
// that it reached without them.
func watched(ctx context.Context, w *world) error {
	if _, err := w.load(ctx, "watched", bench.Options{Clients: 64, Markets: 1, Sockets: 100}); err != nil {
		return err
	}
	rate := w.figures["hot"] / 2
	if rate == 0 {
		return errors.New("needs the step hot before it")
	}
	_, err := w.load(ctx, "half", bench.Options{Clients: 64, Markets: 1, Sockets: 100, Rate: rate})
	w.figures["half.share"] = w.figures["half"] / rate
	return err
}

func crowd(ctx context.Context, w *world) error {
	if _, err := w.load(ctx, "crowd", bench.Options{Clients: 16, Markets: 1, Sockets: 1000, Rate: 100}); err != nil {
		return err
	}
	_, err := w.load(ctx, "crowd500", bench.Options{Clients: 16, Markets: 1, Sockets: 1000, Rate: 500})
	return err
}

// reads are of a market's state: alone, and while it is hot.
func reads(ctx context.Context, w *world) error {
	report, err := w.load(ctx, "reads", bench.Options{Clients: -1, Markets: 1, Sockets: -1, Readers: 16})
	if err != nil {
		return err
	}
	w.figures["reads"] = report.Reads.PerSec
	report, err = w.load(ctx, "readshot", bench.Options{Clients: 64, Markets: 1, Sockets: -1, Readers: 4, ReadRate: 200})
	if err == nil {
		w.figures["readshot.p50"], w.figures["readshot.p99"] = report.Reads.Latency.P50, report.Reads.Latency.P99
	}
	return err
}
