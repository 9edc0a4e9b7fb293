package audit

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Head is one point of one history: a seq, and the hash of that event in 64 hex digits.
type Head struct {
	Seq  int64
	Hash string
}

// Heads are the heads of several streams, by market; the house's stream is named "house".
type Heads map[string]Head

// The file: a first line that says what it is, of which time, and how many lines follow, so that a
// part of it is not taken for the whole; then market, seq and hash, a line each, sorted by market.
//
//	pgtape heads 2026-07-08T12:00:00.000000Z, 2 streams
//	house 17 5fdf…
//	rain 813 9f3a…
const headsTime = "2006-01-02T15:04:05.000000Z"

var (
	headsTitle = regexp.MustCompile(`^pgtape heads (\S+), ([0-9]{1,9}) streams$`)
	headsLine  = regexp.MustCompile(`^([a-z0-9][a-z0-9_-]{0,63}) ([1-9][0-9]{0,17}) ([0-9a-f]{64})$`)
)

// WriteHeads writes heads as of a time.
func WriteHeads(w io.Writer, at time.Time, heads Heads) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "pgtape heads %s, %d streams\n", at.UTC().Format(headsTime), len(heads))
	for _, market := range slices.Sorted(maps.Keys(heads)) {
		fmt.Fprintf(out, "%s %d %s\n", market, heads[market].Seq, heads[market].Hash)
	}
	return out.Flush()
}

// ReadHeads reads what WriteHeads wrote. An error names the line that is not so.
func ReadHeads(r io.Reader) (heads Heads, at time.Time, err error) {
	lines := bufio.NewScanner(r)
	if !lines.Scan() {
		return nil, at, fmt.Errorf("line 1: no file of heads: %w", orUnexpectedEOF(lines.Err()))
	}
	at, streams, err := readTitle(lines.Text())
	if err != nil {
		return nil, at, fmt.Errorf("line 1: %w", err)
	}
	heads = Heads{}
	last := ""
	for n := 2; lines.Scan(); n++ {
		parts := headsLine.FindStringSubmatch(lines.Text())
		if parts == nil {
			return nil, at, fmt.Errorf("line %d: %.100q is not: market, seq, 64 hex digits", n, lines.Text())
		}
		if parts[1] <= last {
			return nil, at, fmt.Errorf("line %d: %s does not come after %s", n, parts[1], last)
		}
		last = parts[1]
		seq, err := strconv.ParseInt(parts[2], 10, 64)
		if err != nil {
			return nil, at, fmt.Errorf("line %d: %w", n, err)
		}
		heads[last] = Head{Seq: seq, Hash: parts[3]}
	}
	if err := lines.Err(); err != nil {
		return nil, at, fmt.Errorf("line %d: %w", len(heads)+2, err)
	}
	if len(heads) != streams {
		return nil, at, fmt.Errorf("line %d: the end, after %d of %d streams", len(heads)+2, len(heads), streams)
	}
	return heads, at, nil
}

func readTitle(line string) (at time.Time, streams int, err error) {
	parts := headsTitle.FindStringSubmatch(line)
	if parts == nil {
		return at, 0, fmt.Errorf("%.100q is not: pgtape heads <time>, <n> streams", line)
	}
	if at, err = time.Parse(headsTime, parts[1]); err != nil {
		return at, 0, err
	}
	streams, err = strconv.Atoi(parts[2])
	return at, streams, err
}

func orUnexpectedEOF(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Rewriting is a part of a stream that was written again, on record, from an event on; the heads are
// those of the event Version, which was the last one then.
type Rewriting struct {
	At                    time.Time
	Market                string
	From, Version         int64
	OldHead, NewHead, Why string
}

// clocks is how far the clock of the database and that of who publishes heads may differ.
const clocks = time.Minute

// explains tells whether a head, published at a time, is of the history before the rewriting.
func (r Rewriting) explains(market string, head Head, published time.Time) bool {
	if r.Market != market || r.At.Before(published.Add(-clocks)) || head.Seq < r.From || head.Seq > r.Version {
		return false
	}
	return head.Seq < r.Version || head.Hash == r.OldHead
}

// Rewritten takes out the heads that are of a history before a rewriting on record, and says which
// they are and why. They prove nothing any more: what is behind a rewriting is to be published anew.
func (h Heads) Rewritten(published time.Time, rewritings []Rewriting, lookup func(market string, seq int64) (hash string, ok bool)) []Finding {
	var found []Finding
	for _, market := range slices.Sorted(maps.Keys(h)) {
		hash, ok := lookup(market, h[market].Seq)
		at := slices.IndexFunc(rewritings, func(r Rewriting) bool { return r.explains(market, h[market], published) })
		if !ok || hash == h[market].Hash || at < 0 {
			continue
		}
		r := rewritings[at]
		found = append(found, Finding{
			"rewritten on record", fmt.Sprintf("market %s, seq %d", market, h[market].Seq),
			fmt.Sprintf("written again from seq %d on at %s: %s", r.From, r.At.UTC().Format(time.RFC3339), r.Why),
		})
		delete(h, market)
	}
	return found
}

// Check says which heads today's history does not contain: its events were rewritten, or are gone.
// lookup gives the hash, in hex, of an event of today's history.
func (h Heads) Check(lookup func(market string, seq int64) (hash string, ok bool)) []Finding {
	var found []Finding
	for _, market := range slices.Sorted(maps.Keys(h)) {
		problem := ""
		if hash, ok := lookup(market, h[market].Seq); !ok {
			problem = "the event is gone"
		} else if hash != h[market].Hash {
			problem = fmt.Sprintf("its hash was %s, is now %s", h[market].Hash, hash)
		}
		if problem != "" {
			found = append(found, Finding{
				"history contains the published heads", fmt.Sprintf("market %s, seq %d", market, h[market].Seq), problem,
			})
		}
	}
	return found
}
