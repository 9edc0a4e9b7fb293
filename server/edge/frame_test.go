package edge

import (
	"encoding/json"
	"testing"

	"github.com/pgtape/pgtape/db/tape"
)

func TestEventsOfFrames(t *testing.T) {
	t.Parallel()
	behind := tape.Head{Seq: 6, Hash: "00112233445566ff"}
	const begins = `{"op":"event","market":"rain","seq":7,"prev":6,"cursor":"7.0123456789abcdef","at":"2026-01-02T03:04:05.000006Z","kind":"halted"`
	tests := []struct {
		name, text string
		body       string // empty: refused
	}{
		{"a body", begins + `,"reason":"\"so\",\"kind\":\"<it>\"","prices":{"yes":"0.5"}}`, `{"reason":"\"so\",\"kind\":\"<it>\"","prices":{"yes":"0.5"}}`},
		{"nothing more", begins + `}`, `{}`},
		{"no cursor", `{"op":"event","market":"rain","seq":7,"prev":6,"cursor":"7","kind":"halted"}`, ""},
		{"another seq than its cursor's", `{"op":"event","market":"rain","seq":8,"prev":7,"cursor":"7.0123456789abcdef","kind":"halted"}`, ""},
		{"a hole", `{"op":"event","market":"rain","seq":7,"prev":5,"cursor":"7.0123456789abcdef","kind":"halted"}`, ""},
		{"no kind", `{"op":"event","market":"rain","seq":7,"prev":6,"cursor":"7.0123456789abcdef"}`, ""},
		{"a kind that is written otherwise", `{"op":"event","market":"rain","seq":7,"prev":6,"cursor":"7.0123456789abcdef","kind" : "halted"}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var f frame
			if err := json.Unmarshal([]byte(tt.text), &f); err != nil {
				t.Fatal(err)
			}
			e, err := eventOf(f, []byte(tt.text), behind)
			if tt.body == "" {
				if err == nil {
					t.Errorf("taken: %+v", e)
				}
				return
			}
			if err != nil || e.Body != tt.body || e.Head().String() != f.Cursor || e.Seq != 7 || e.Kind != "halted" || e.At.Nanosecond() != 6000 {
				t.Errorf("%+v (%v)", e, err)
			}
		})
	}
}

func TestOriginsAreServers(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"https://example.org": true, "http://10.0.0.5:8080/": true, "http://[::1]:8080": true,
		"": false, "example.org": false, "ftp://example.org": false, "https://": false, "https://a:b@example.org": false,
		"https://example.org/x": false, "https://example.org?x": false, "https://example.org#x": false, "http://a b": false,
	} {
		if _, err := New(Options{URL: text}); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
