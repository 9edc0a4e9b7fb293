package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

// FuzzDecode: a body is read, or refused in a way that its sender is told of.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		``, ` `, `null`, `[]`, `"buy"`, `{`, `{} {}`, `{"handle":"ana"}`, `{"handle":null}`, "{\"handle\":\"\xff\xc0\xaf\"}", "\xef\xbb\xbf{}",
		`{"outcome":"yes","side":"buy","shares":"10","max_cost":10.5}`, `{"shares":1e400}`, `{"shares":"1e4"}`, `{"expected_version":9223372036854775808}`,
		`{"shares":{}}`, `{"deadline":"2026-01-01T00:00:00Z"}`, `{"deadline":"10000-01-01T00:00:00Z"}`, `{"SHARES":"1","shares":"2"}`,
		`{"slug":"rain","question":"?","outcomes":["yes","no"],"liquidity":"100","closes_at":null,"void_payout":[1,"0"]}`,
		strings.Repeat(`[`, 20_000), `{"outcomes":` + strings.Repeat(`[`, 20_000), `{"` + strings.Repeat("a", maxBody) + `":1}`,
	} {
		f.Add(seed)
	}
	e := echo.New()
	f.Fuzz(func(t *testing.T, body string) {
		for _, into := range []any{new(db.Order), new(db.NewMarket), new(struct {
			Handle string `json:"handle"`
		})} {
			request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
			err := decode(e.NewContext(request, httptest.NewRecorder()), into, db.InvalidRequest)
			checkRefusal(t, err)
			if err != nil {
				continue
			}
			if _, err := json.Marshal(into); err != nil {
				t.Errorf("read, but cannot be written: %v", err)
			}
		}
	})
}

// checkRefusal fails for an error that would be answered as ours.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	var ofEcho *echo.HTTPError
	if errors.As(err, &ofEcho) {
		if ofEcho.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("refused with %d", ofEcho.Code)
		}
		return
	}
	switch db.CodeOf(err) {
	case "", db.InvalidRequest, db.InvalidOrder:
	default:
		t.Errorf("refused with %v", err)
	}
	var e *db.Error
	if errors.As(err, &e) && !json.Valid(problem(http.StatusBadRequest, e)) {
		t.Errorf("the problem is no JSON: %s", problem(http.StatusBadRequest, e))
	}
}

// FuzzSocketFrame: what a client sends is a request that makes sense, or is told what is wrong.
func FuzzSocketFrame(f *testing.F) {
	for _, seed := range []string{
		``, `{`, `null`, `[]`, `0`, `{} {}`, `{"op":"subscribe","market":"rain"}`, `{"op":"subscribe","market":"rain","after":"812.9f3a2c1b04d7e6aa","mode":"tape"}`,
		`{"op":"unsubscribe","market":"rain","mode":"loud"}`, `{"op":"subscribe","market":"rain","mode":"loud"}`, `{"op":"subscribe","market":"\u0000\ud800"}`,
		`{"OP":"subscribe","Market":"rain"}`, "{\"op\":\"subscribe\",\"market\":\"\xff\"}", strings.Repeat(`{"op":`, 600),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		r, fault := parseRequest(message)
		frame := errorFrame(db.InvalidRequest, fault, r.Market)
		if !json.Valid(frame) || strings.Contains(string(frame), "\n") {
			t.Errorf("the answer is no frame: %s", frame)
		}
		if fault != "" {
			return
		}
		_, known := modes[r.Mode]
		if r.Market == "" || r.Op != "unsubscribe" && (r.Op != "subscribe" || !known) {
			t.Errorf("taken: %+v", r)
		}
	})
}

// FuzzQuery: numbers and times of a query string are within their bounds, or refused.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		``, `v=1`, `v=0`, `v=-1`, `v=1001`, `v=+5`, `v=0x10`, `v=1_000`, `v=%31`, `v=9999999999999999999999`, `v=1&v=2`, `v=%`, `v=;`, `v=%00`, `v=%ff`,
		`v=2006-01-02T15:04:05Z`, `v=2006-01-02T15:04:05.999999999%2B23:59`, `v=0000-01-01T00:00:00Z`, `v=9999-12-31T23:59:60Z`, `v=1e5`, `v=NaN`, `v=.5`, `v=5.`, `v=0.0000000000001`,
	} {
		f.Add(seed)
	}
	e := echo.New()
	f.Fuzz(func(t *testing.T, query string) {
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.URL.RawQuery = query
		c := e.NewContext(request, httptest.NewRecorder())
		n, err := whole(c, "v", 1, 1000, 100)
		checkRefusal(t, err)
		if err == nil && (n < 1 || n > 1000) {
			t.Errorf("whole: %d", n)
		}
		at, err := moment(c, "v")
		checkRefusal(t, err)
		if at != nil {
			if _, err := json.Marshal(at); err != nil {
				t.Errorf("moment: %v", err)
			}
		}
		number, err := decimal(c, "v")
		checkRefusal(t, err)
		if number != "" && strings.Trim(string(number), "-.0123456789") != "" {
			t.Errorf("decimal: %q", number)
		}
	})
}
