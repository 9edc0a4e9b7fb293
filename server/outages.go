package server

import (
	"log/slog"
	"sync"
	"time"

	"github.com/pgtape/pgtape/db"
)

// outages says in the log what requests are refused for because the database cannot do it now: the
// first of each reason at once, then how many there were, every outageEvery.
type outages struct {
	mu sync.Mutex
	of map[string]*outage
}

type outage struct {
	said time.Time
	more int // since then
}

const outageEvery = 10 * time.Second

func (o *outages) note(log *slog.Logger, e *db.Error, method, path string) {
	if e.Reason == "" { // not the database: whoever refused it says what there is to say
		return
	}
	o.mu.Lock()
	of := o.of[e.Reason]
	if of == nil {
		if o.of == nil {
			o.of = map[string]*outage{}
		}
		of = &outage{}
		o.of[e.Reason] = of
	}
	if time.Since(of.said) < outageEvery {
		of.more++
		o.mu.Unlock()
		return
	}
	more := of.more
	of.said, of.more = time.Now(), 0
	o.mu.Unlock()
	log.Warn("requests are refused: the database cannot do it now", "reason", e.Reason, "method", method, "path", path,
		"since_last", more, "err", e.Error(), "mend", e.Hint)
}
