package audit

import (
	"bytes"
	"maps"
	"strings"
	"testing"
	"time"
)

func TestHeadsAreReadAsWritten(t *testing.T) {
	t.Parallel()
	heads := replay(t, sampleTape().events).Heads()
	at := time.Date(2026, 7, 8, 12, 0, 0, 123456000, time.FixedZone("", 7200))
	var file bytes.Buffer
	if err := WriteHeads(&file, at, heads); err != nil {
		t.Fatal(err)
	}
	if want := "pgtape heads 2026-07-08T10:00:00.123456Z, 4 streams\nhouse 3 "; !strings.HasPrefix(file.String(), want) {
		t.Errorf("file %s", file.String())
	}
	got, when, err := ReadHeads(&file)
	if err != nil || !when.Equal(at) || !maps.Equal(got, heads) {
		t.Errorf("read %v of %v: %v", got, when, err)
	}
	if err := WriteHeads(&file, at, Heads{}); err != nil {
		t.Fatal(err)
	}
	if got, _, err := ReadHeads(&file); err != nil || len(got) != 0 {
		t.Errorf("read %v: %v", got, err)
	}
}

func TestAFileThatIsNotOfHeadsIsRefused(t *testing.T) {
	t.Parallel()
	const title = "pgtape heads 2026-07-08T10:00:00.000000Z, 2 streams\n"
	hash := strings.Repeat("0a", 32)
	rain, snow := "rain 13 "+hash+"\n", "snow 2 "+hash+"\n"
	tests := []struct{ name, text, want string }{
		{"empty", "", "line 1: "},
		{"no title", rain + snow, "line 1: "},
		{"no time", strings.Replace(title, "T10", "T99", 1) + rain + snow, "line 1: "},
		{"a part", title + rain, "line 3: the end, after 1 of 2"},
		{"too much", title + rain + snow + "wind 1 " + hash + "\n", "line 5: the end, after 3 of 2"},
		{"unsorted", title + snow + rain, "line 3: rain does not come after snow"},
		{"twice", title + rain + rain, "line 3: rain does not come after rain"},
		{"no seq", title + rain + strings.Replace(snow, " 2 ", " 0 ", 1), "line 3: "},
		{"half a hash", title + rain + "snow 2 " + hash[:32] + "\n", "line 3: "},
		{"capitals", title + rain + strings.ToUpper(snow), "line 3: "},
		{"an empty line", title + rain + "\n" + snow, "line 3: "},
		{"a long line", title + rain + strings.Repeat("x", 100_000), "line 3: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, _, err := ReadHeads(strings.NewReader(tt.text)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("err = %v, want %s…", err, tt.want)
			}
		})
	}
}

func TestHistoryIsHeldToPublishedHeads(t *testing.T) {
	t.Parallel()
	events := sampleTape().events
	published := replay(t, events[:9]).Heads()
	check := func(events []Event) []Finding {
		hashes := map[string]map[int64]Head{}
		c := chain{}
		for _, e := range events {
			if hashes[e.Market] == nil {
				hashes[e.Market] = map[int64]Head{}
			}
			c.seq = e.Seq
			copy(c.hash[:], e.Hash)
			hashes[e.Market][e.Seq] = c.head()
		}
		return published.Check(func(market string, seq int64) (string, bool) {
			head, ok := hashes[market][seq]
			return head.Hash, ok
		})
	}
	if found := check(events); len(found) != 0 {
		t.Errorf("found %q", found)
	}
	if found := check(events[:8]); len(found) != 1 || found[0].Subject != "market rain, seq 6" || found[0].Problem != "the event is gone" {
		t.Errorf("found %q", found)
	}
	// A history that was rewritten, sound in itself.
	events[1].Body = strings.Replace(events[1].Body, "70.842546", "71.842546", 1)
	rehash(events)
	if found := check(events); len(found) != 1 || found[0].Subject != "market house, seq 3" || !strings.HasPrefix(found[0].Problem, "its hash was") {
		t.Errorf("found %q", found)
	}
}

func TestHeadsOfBeforeARewritingAreSaidNotFound(t *testing.T) {
	t.Parallel()
	published := time.Date(2026, 7, 8, 12, 0, 0, 0, time.UTC)
	old, now := strings.Repeat("0a", 32), strings.Repeat("0b", 32)
	rewriting := Rewriting{At: published.Add(time.Hour), Market: "rain", From: 5, Version: 13, OldHead: old, NewHead: now, Why: "why"}
	tests := []struct {
		name      string
		head      Head
		change    func(*Rewriting)
		rewritten bool
	}{
		{"its last event then", Head{13, old}, nil, true},
		{"an event on the way", Head{7, strings.Repeat("0c", 32)}, nil, true},
		{"the first that changed", Head{5, old}, nil, true},
		{"another last event than on record", Head{13, strings.Repeat("0c", 32)}, nil, false},
		{"an event before it", Head{4, old}, nil, false},
		{"an event after it", Head{14, old}, nil, false},
		{"another market's", Head{13, old}, func(r *Rewriting) { r.Market = "snow" }, false},
		{"one from before the heads", Head{13, old}, func(r *Rewriting) { r.At = published.Add(-time.Hour) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, heads := rewriting, Heads{"rain": tt.head}
			if tt.change != nil {
				tt.change(&r)
			}
			lookup := func(string, int64) (string, bool) { return now, true }
			said, found := heads.Rewritten(published, []Rewriting{r}, lookup), heads.Check(lookup)
			if len(said)+len(found) != 1 || (len(said) == 1) != tt.rewritten {
				t.Errorf("rewritten: %v; broken: %v", said, found)
			}
		})
	}
}
