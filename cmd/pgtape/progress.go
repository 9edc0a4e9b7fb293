package main

import (
	"fmt"
	"os"
	"time"

	"github.com/pgtape/pgtape/db/embedded"
)

// isTerminal says whether somebody reads along: a pipe and a file are told results, not progress.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// progressLine tells on a terminal how far something has come, on one line that is written again; to
// anything else it says nothing.
type progressLine struct {
	out   *os.File
	every time.Duration
	shown time.Time
}

func newProgressLine() *progressLine {
	return &progressLine{out: os.Stderr, every: 100 * time.Millisecond}
}

// show writes the line, unless it was a moment ago and this is not the last.
func (p *progressLine) show(last bool, format string, args ...any) {
	if !isTerminal(p.out) || !last && time.Since(p.shown) < p.every {
		return
	}
	p.shown = time.Now()
	fmt.Fprintf(p.out, "\r\x1b[K"+format, args...)
}

func (p *progressLine) end() {
	if !p.shown.IsZero() {
		fmt.Fprintln(p.out)
	}
}

// sayFetching tells where a Postgres is fetched from, and on a terminal how much of it is there.
func sayFetching() embedded.Report {
	line := newProgressLine()
	var from string
	return func(host string, bytes, of int64, done bool) {
		if host != from {
			from = host
			fmt.Fprintf(os.Stderr, "No PostgreSQL is installed: fetching one, once, from %s …\n", host)
		}
		const mb = 1 << 20
		switch {
		case done:
			line.show(true, "%d MB of PostgreSQL fetched", bytes/mb)
			line.end()
		case of > 0:
			line.show(false, "%d of %d MB", bytes/mb, of/mb)
		case bytes > 0:
			line.show(false, "%d MB", bytes/mb)
		}
	}
}
