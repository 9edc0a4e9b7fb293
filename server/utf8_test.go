package server_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// keepBytes writes an event whose body holds any bytes, as a database may that was of another encoding
// once, or is damaged: Postgres looks at what it is given, not at what it has.
func (s *site) keepBytes(t *testing.T, market, kind, body string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	const encoded = "update pg_database set encoding = pg_char_to_encoding($1), datcollate = 'C', datctype = 'C' where datname = current_database()"
	s.Exec(t, `do $$ begin -- the locale of libc goes with any encoding, those of later providers do not
		if current_setting('server_version_num')::integer >= 150000 then
			update pg_database set datlocprovider = 'c' where datname = current_database();
		end if;
	end; $$`)
	s.Exec(t, encoded, "SQL_ASCII")
	defer s.Exec(t, encoded, "UTF8")
	conn, err := pgx.Connect(ctx, s.URL())
	must(t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `
		with event as (
			insert into pgtape_core.tape (market, seq, at, kind, body, prev_hash, hash)
			select m.slug, b.version + 1, clock_timestamp(), $3, convert_from($2, 'SQL_ASCII'), b.head, sha256($2)
			from pgtape_core.market m
			join pgtape_core.book b on b.market_id = m.id
			where m.slug = $1
			returning market, seq, hash
		)
		update pgtape_core.book b set version = e.seq, head = e.hash
		from event e
		join pgtape_core.market m on m.slug = e.market
		where b.market_id = m.id`, market, []byte(body), kind)
	must(t, err)
}

// Clients must close a socket over a text that is not UTF-8, and would again whenever they come back to
// it. So none is sent, by no way out: what is not UTF-8 is replaced, and told of.
func TestWhatIsSentIsUTF8(t *testing.T) {
	t.Parallel()
	s := open(t)
	market, ana := s.Market(t), s.signIn(t, "ana")
	s.follow(t)
	edge := s.edge(t)
	before := s.dial(t)
	before.subscribe(market, "", "tape")
	start := before.next("snapshot").Cursor
	far := edge.dial(t)
	far.subscribe(market, "", "tape")
	far.next("snapshot")
	for i, event := range []struct{ kind, body string }{
		{"noted", "{\"note\":\"caf\xe9\"}"},                                              // Latin-1
		{"noted", "{\"note\":\"\xff\xfe\",\"prices\":{\"yes\":\"0.5\",\"no\":\"0.5\"}}"}, // no character of anything
		{"noted", "{\"note\":\"\xed\xa0\x80 \xc0\xaf \xe2\x82\"}"},                       // a surrogate, an overlong slash, half a character
		{"trade", "{\"trade\":{\"id\":0,\"account\":\"\xfc\",\"outcome\":\"yes\",\"side\":\"buy\",\"shares\":\"1\",\"amount\":\"1\",\"avg_price\":\"1\"},\"prices\":{\"yes\":\"0.5\",\"no\":\"0.5\"},\"n\xfcmber\":1}"}, // a name, and what is read by those who reckon
	} {
		body := event.body
		s.keepBytes(t, market, event.kind, body)
		receipt := ana.trade(t, market, buyTen)
		for _, w := range []*wire{before, far} {
			want := "{" + strings.ToValidUTF8(body[1:], "\ufffd")
			if text := w.eventText(t, receipt.Version-1); !bytes.Contains(text, []byte(want[1:])) {
				t.Errorf("%d: the event is sent as %s", i, text)
			}
			w.eventText(t, receipt.Version)
		}
	}

	// Those who come back to it, from the memory of this server and from the table by another.
	other := openOn(t, s.DB)
	other.follow(t)
	for name, from := range map[string]*site{"the server": s, "an edge": edge.site, "another server": other} {
		w := from.dial(t)
		w.subscribe(market, start, "tape")
		for seq := int64(2); seq <= 9; seq++ {
			w.eventText(t, seq)
		}
		address := "/api/v1/markets/" + market
		for _, path := range []string{address, address + "/tape?after=" + start, address + "/tape?latest=5", "/m/" + market} {
			if got := from.nobody().get(t, path); got.status != http.StatusOK || !utf8.Valid(got.body) {
				t.Errorf("%s at %s: %v", path, name, got)
			}
		}
		if got := from.streamed(t, market, start, 9); !utf8.Valid(got) || !bytes.Contains(got, []byte("caf\ufffd")) {
			t.Errorf("the stream of %s is %q", name, got)
		}
		if from == edge.site { // which is sent nothing else
			continue
		}
		if metrics := string(from.nobody().get(t, "/metrics").body); !strings.Contains(metrics, "pgtape_events_mended_total ") || strings.Contains(metrics, "pgtape_events_mended_total 0\n") {
			t.Errorf("%s counts nothing", name)
		}
	}
	if said := strings.Count(s.log.String(), "bytes that are not UTF-8"); said < 1 || said > 5 || !strings.Contains(s.log.String(), "market="+market+" seq=2 ") {
		t.Errorf("the log speaks of it %d times:\n%s", said, s.log)
	}

	violations, err := s.DB.DB.Verify(t.Context())
	must(t, err)
	named := 0
	for _, v := range violations {
		if strings.HasPrefix(v.Subject, "market "+market+", seq ") && v.Problem == "it holds bytes that are not UTF-8" {
			named++
		}
	}
	if named != 4 {
		t.Errorf("verify names %d of 4: %v", named, violations)
	}
}

// eventText reads on to the message of an event, and refuses what a browser would.
func (w *wire) eventText(t *testing.T, seq int64) []byte {
	t.Helper()
	for {
		must(t, w.conn.SetReadDeadline(time.Now().Add(patience)))
		_, message, err := w.conn.ReadMessage()
		must(t, err)
		if !utf8.Valid(message) {
			t.Fatalf("not UTF-8: %q", message)
		}
		if bytes.Contains(message, []byte(`"op":"event"`)) {
			if !bytes.Contains(message, fmt.Appendf(nil, `"seq":%d,`, seq)) {
				t.Fatalf("want the event %d, got %s", seq, message)
			}
			return message
		}
	}
}

// streamed reads a stream on to the event of a seq.
func (s *site) streamed(t *testing.T, market, after string, seq int64) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/v1/markets/"+market+"/stream?after="+after, nil)
	must(t, err)
	response, err := http.DefaultTransport.RoundTrip(request)
	must(t, err)
	defer response.Body.Close()
	var read []byte
	for lines := bufio.NewReader(response.Body); !bytes.Contains(read, fmt.Appendf(nil, `"seq":%d,`, seq)); {
		line, err := lines.ReadBytes('\n')
		must(t, err)
		read = append(read, line...)
	}
	return read
}
