package delivery

import (
	"slices"
	"strings"
	"testing"
)

// Who judges is judged first: told of two histories with the same first three events, and what
// must not be told.
func TestJudge(t *testing.T) {
	t.Parallel()
	make := func(hashes ...uint64) history {
		var events []entry
		for _, hash := range hashes {
			events = append(events, entry{hash: hash, body: hash + 100, prices: hash + 200})
		}
		return history{events: map[string][]entry{"rain": events}}
	}
	histories := []history{make(1, 2, 3, 14, 15, 16), make(1, 2, 3, 24, 25)}
	snapshot := func(h, seq int) record {
		return record{op: toldSnapshot, seq: int64(seq), entry: entry{hash: histories[h].events["rain"][seq-1].hash}, restores: int32(h)}
	}
	event := func(h, seq int) record {
		return record{op: toldEvent, seq: int64(seq), entry: histories[h].events["rain"][seq-1], restores: int32(h)}
	}
	quote := func(h, seq int) record {
		return record{op: toldQuote, seq: int64(seq), entry: entry{prices: histories[h].events["rain"][seq-1].prices}, restores: int32(h)}
	}
	forged := event(1, 5)
	forged.entry.body++

	tests := []struct {
		name string
		told []record
		want string // part of what is wrong; empty: nothing is
	}{
		{"all of the last history", []record{event(1, 1), event(1, 2), event(1, 3), event(1, 4), event(1, 5)}, ""},
		{"through a restore", []record{snapshot(0, 2), event(0, 3), event(0, 4), snapshot(1, 3), event(1, 4), event(1, 5)}, ""},
		{"through a restore, at the point where it happened", []record{snapshot(0, 2), event(0, 3), event(1, 4), event(1, 5)}, ""},
		{"quotes", []record{snapshot(0, 2), quote(0, 4), quote(0, 6), snapshot(1, 4), quote(1, 5)}, ""},
		{"nothing", nil, "nothing"},
		{"an event at first", []record{event(1, 4), event(1, 5)}, "the first"},
		{"a gap", []record{snapshot(1, 3), event(1, 5)}, "event after 3"},
		{"an event twice", []record{snapshot(1, 3), event(1, 4), event(1, 4), event(1, 5)}, "event after 4"},
		{"two histories mixed", []record{snapshot(0, 3), event(0, 4), event(1, 5)}, "in no history"},
		{"a history of before", []record{snapshot(1, 4), snapshot(0, 4), event(0, 5)}, "in no history"},
		{"another event of that name", []record{snapshot(1, 4), forged}, "in no history"},
		{"a snapshot for nothing", []record{snapshot(0, 1), snapshot(0, 2), event(1, 3), event(1, 4), event(1, 5)}, "snapshot after 1"},
		{"too little", []record{snapshot(1, 3), event(1, 4)}, "is the last"},
		{"the end of another history", []record{snapshot(0, 5)}, "of another history"},
		{"a quote twice", []record{snapshot(1, 4), quote(1, 5), quote(1, 5)}, "quote after 5"},
		{"a quote of no history", []record{snapshot(1, 4), {op: toldQuote, seq: 5}}, "in no history"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := judge(histories, "rain", tt.told)
			fits := slices.ContainsFunc(got, func(s string) bool { return tt.want != "" && strings.Contains(s, tt.want) })
			if fits != (tt.want != "") || tt.want == "" && len(got) > 0 {
				t.Errorf("wrong: %q, want %q", got, tt.want)
			}
		})
	}
}
