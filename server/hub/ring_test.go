package hub

import (
	"fmt"
	"strings"
	"testing"
)

func ringEvent(seq int64) Event {
	return Event{Seq: seq, Cursor: fmt.Sprintf("%d.c", seq), Frame: fmt.Appendf(nil, "<%d>", seq)}
}

func TestRing(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 2, 3, 8, 100, 5000} {
		t.Run(fmt.Sprintf("of %d events", size), func(t *testing.T) {
			t.Parallel()
			r := ring{size: size}
			r.restart(10, "10.c")
			for head := int64(11); head < 2000; head++ {
				r.add(ringEvent(head))
				if held := head - r.first + 1; held < min(head-10, int64(size)) || held > int64(size+max(1, size/4)) {
					t.Fatalf("holds %d events at %d", held, head)
				}
				if r.first < 11 || head%97 > 0 {
					continue
				}
				checkRing(t, &r, head)
			}
		})
	}
}

// checkRing reads the ring from every position that it serves.
func checkRing(t *testing.T, r *ring, head int64) {
	t.Helper()
	for pos := r.first - 1; pos <= head; pos++ {
		if c, ok := r.cursorAt(pos); !ok || c != fmt.Sprintf("%d.c", pos) {
			t.Fatalf("cursor at %d is %q, %v", pos, c, ok)
		}
	}
	for _, pos := range []int64{r.first - 2, head + 1} {
		if c, ok := r.cursorAt(pos); ok {
			t.Fatalf("knows a cursor at %d: %q", pos, c)
		}
	}
	var got, want []string
	for pos := r.first - 1; ; {
		frame, n, c := r.after(pos, 100, 7)
		if n == 0 {
			break
		}
		if n > 7 || len(frame) > 100 || c != fmt.Sprintf("%d.c", pos+int64(n)) {
			t.Fatalf("%d events in %d bytes up to %s behind %d", n, len(frame), c, pos)
		}
		for text := range frame.Texts() {
			got = append(got, string(text))
		}
		pos += int64(n)
	}
	for seq := r.first; seq <= head; seq++ {
		want = append(want, fmt.Sprintf("<%d>", seq))
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Fatalf("read %v, want %v", got, want)
	}
}

func TestBatchLeavesWhatItJoinsAsItWas(t *testing.T) {
	t.Parallel()
	const before = "\x81\x03<1>and more"
	shared := Messages(before)
	var b batch
	for _, messages := range []Messages{shared[:5], Message([]byte("<2>")), Message([]byte("<3>"))} {
		if !b.add(messages, 1) {
			t.Fatal("no room")
		}
	}
	if string(b.messages) != "\x81\x03<1>\x81\x03<2>\x81\x03<3>" || b.events != 3 || string(shared) != before {
		t.Errorf("joined %q of %d events; the first became %q", b.messages, b.events, shared)
	}
}

func TestCursorIsParsed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		cursor string
		seq    int64
		ok     bool
	}{
		{"813.9f3a2c1b04d7e6aa", 813, true},
		{"0.0000000000000000", 0, true},
		{"9223372036854775807.0123456789abcdef", 9223372036854775807, true},
		{"9223372036854775808.0123456789abcdef", 0, false},
		{"813.9F3A2C1B04D7E6AA", 0, false},
		{"813.9f3a2c1b04d7e6a", 0, false},
		{"813.9f3a2c1b04d7e6aab", 0, false},
		{"813.9f3a2c1b04d7e6a ", 0, false},
		{"0813.9f3a2c1b04d7e6aa", 0, false},
		{"-1.9f3a2c1b04d7e6aa", 0, false},
		{"+1.9f3a2c1b04d7e6aa", 0, false},
		{".9f3a2c1b04d7e6aa", 0, false},
		{"813", 0, false},
		{"", 0, false},
	}
	for _, tt := range tests {
		if seq, ok := parseCursor(tt.cursor); ok != tt.ok || (ok && seq != tt.seq) {
			t.Errorf("%q: %d, %v", tt.cursor, seq, ok)
		}
	}
}
