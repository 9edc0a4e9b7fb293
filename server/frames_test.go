package server

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pgtape/pgtape/db/tape"
)

func TestFramesAreTheContract(t *testing.T) {
	t.Parallel()
	hash := make([]byte, 32)
	copy(hash, "\x9f\x3a\x2c\x1b\x04\xd7\xe6\xaa")
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.FixedZone("", 3600))
	trade := tape.Event{
		Market: "rain", Seq: 813, At: at, Kind: "trade", Hash: hash,
		Body: `{"trade":{"id":7,"account":"ana"},"prices":{"yes":"0.622459331202","no":"0.377540668798"}}`,
	}
	empty := tape.Event{Market: "rain", Seq: 1, At: at, Kind: "noted", Hash: hash, Body: "{}"}

	tests := []struct{ name, got, want string }{
		{
			"an event", string(eventFrame(utf8Event{trade})),
			`{"op":"event","market":"rain","seq":813,"prev":812,"cursor":"813.9f3a2c1b04d7e6aa","at":"2026-01-02T02:04:05.000006Z",` +
				`"kind":"trade","trade":{"id":7,"account":"ana"},"prices":{"yes":"0.622459331202","no":"0.377540668798"}}`,
		},
		{
			"an event without a body", string(eventFrame(utf8Event{empty})),
			`{"op":"event","market":"rain","seq":1,"prev":0,"cursor":"1.9f3a2c1b04d7e6aa","at":"2026-01-02T02:04:05.000006Z","kind":"noted"}`,
		},
		{
			"a quote", string(quoteFrame(utf8Event{trade})),
			`{"op":"quote","market":"rain","seq":813,"prices":{"yes":"0.622459331202","no":"0.377540668798"}}`,
		},
		{"no quote of an event without prices", string(quoteFrame(utf8Event{empty})), ``},
		{
			"an error", string(errorFrame("invalid_request", "no", "")),
			`{"op":"error","code":"invalid_request","message":"no"}`,
		},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, tt.got, tt.want)
		}
		if tt.got != "" && !json.Valid([]byte(tt.got)) {
			t.Errorf("%s is no JSON", tt.name)
		}
	}
}

// What comes as it is sent is not written again; anything else is mended, whoever it is from: an origin of
// an earlier version, too.
func TestAnEventIsMadeReadable(t *testing.T) {
	t.Parallel()
	texts := newTexts(slog.New(slog.DiscardHandler))
	for body, want := range map[string]string{
		`{"note":"café 日本 \u0001"}`: `{"note":"café 日本 \u0001"}`,
		"{\"note\":\"caf\xe9\"}":    "{\"note\":\"caf\ufffd\"}",
		"{\"note\":\"\xe2\x82":      "{\"note\":\"\ufffd",
	} {
		if got := texts.readable(tape.Event{Hash: make([]byte, 32), Body: body}); got.Body != want || !utf8.Valid(eventFrame(got)) {
			t.Errorf("%q becomes %q", body, got.Body)
		}
	}
	if texts.mended.Load() != 2 {
		t.Errorf("%d were mended", texts.mended.Load())
	}
}
