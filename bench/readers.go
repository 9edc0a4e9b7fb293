package bench

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/pgtape/pgtape/client"
)

// reader gets the state of one market after the other.
type reader struct {
	run    *run
	index  int
	caller *caller

	answered int64
	failed   int64
	back     int64            // answers with an older version than the one before
	versions map[string]int64 // by market: seen last
}

func (r *reader) read(ctx context.Context, reads *Schedule) {
	for n := r.index; ; n++ {
		due, ok := reads.Next(ctx)
		if !ok {
			return
		}
		market := r.run.markets[n%len(r.run.markets)]
		answer, err := r.caller.call(context.WithoutCancel(ctx), http.MethodGet, "/api/v1/markets/"+market, "", nil)
		if err != nil {
			r.failed++
			var refused *client.Error
			if !errors.As(err, &refused) && !wait(ctx, firstPause) {
				return
			}
			continue
		}
		r.run.reads.Record(r.index, time.Since(due))
		r.answered++
		version, _ := strconv.ParseInt(member(answer, "version"), 10, 64)
		if version < r.versions[market] || version == 0 {
			r.back++
		}
		r.versions[market] = version
	}
}

// Reads are what became of the readers' requests.
type Reads struct {
	Readers  int     `json:"readers"`
	Rate     float64 `json:"rate"` // asked for; 0: as fast as answered
	Answered int64   `json:"answered"`
	PerSec   float64 `json:"per_second"`
	Failed   int64   `json:"failed"`
	WentBack int64   `json:"went_back"` // answers older than the one that the same reader had before
	Latency  Latency `json:"latency"`   // from when it was due to the answer
}

func (r *run) readReport(seconds float64) *Reads {
	if len(r.readers) == 0 {
		return nil
	}
	report := Reads{Readers: len(r.readers), Rate: r.ReadRate, Latency: r.reads.Latency()}
	for _, reader := range r.readers {
		report.Answered += reader.answered
		report.Failed += reader.failed
		report.WentBack += reader.back
	}
	report.PerSec = float64(report.Answered) / seconds
	return &report
}
