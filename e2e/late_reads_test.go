package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
)

// lateReads stands around a server whose reads find a commit later than its tape, as Postgres allows:
// the first who asks for the moves of a new version gets those of the version before.
type lateReads struct {
	mu      sync.Mutex
	version int64  // the newest that was read
	answer  []byte // of it
}

func (l *lateReads) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/moves") {
			next.ServeHTTP(w, r)
			return
		}
		read := httptest.NewRecorder()
		next.ServeHTTP(read, r)
		l.mu.Lock()
		defer l.mu.Unlock()
		answer := read.Body.Bytes()
		var of struct{ Version int64 }
		_ = json.Unmarshal(answer, &of) // an error has version 0, and is passed on
		late := l.answer
		if of.Version > l.version && late != nil {
			answer = late
		}
		if of.Version >= l.version {
			l.version, l.answer = of.Version, read.Body.Bytes()
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	})
}

// An answer that is overtaken on its way by a later one changes nothing.
func TestAPortfolioThatWasOvertakenIsNotShown(t *testing.T) {
	t.Parallel()
	var overtaken overtakenPortfolio
	s := open(t, siteOptions{around: overtaken.around})
	market := s.Market(t)
	p := s.page(t)
	p.set(network.SetCacheDisabledParams{CacheDisabled: true}) // it would have the second request wait for the first
	p.openMarket(market)
	p.signIn("ana")
	p.says(hook("position"), "You hold nothing here yet")

	held, release := overtaken.hold()
	s.buy(t, "ana", market, "yes", "2")
	within(t, "the page to ask for the first trade", held)
	s.buy(t, "ana", market, "yes", "3")
	p.says(hook("position", "outcome", "yes"), "5")
	asked := `performance.getEntriesByType("resource").filter((r) => r.name.endsWith("/portfolio") && r.responseEnd).length`
	before := get[int](p, asked)
	release()
	p.until("the first answer has come", asked+" > "+strconv.Itoa(before))
	p.do("new Promise((go) => setTimeout(go))") // after what the page does with it
	if got := p.text(hook("position", "outcome", "yes")); !strings.Contains(got, "5") {
		t.Errorf("the page shows %q after an answer of before the second trade", got)
	}
	s.Verify(t)
}

// overtakenPortfolio stands around a server and keeps the answer to one request for the portfolio back.
type overtakenPortfolio struct {
	mu   sync.Mutex
	held func() // what is called with the answer, once
}

// hold keeps the next answer until release is called; held ends when it is there.
func (o *overtakenPortfolio) hold() (held <-chan struct{}, release func()) {
	there, gone := make(chan struct{}), make(chan struct{})
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = func() { close(there); <-gone }
	return there, sync.OnceFunc(func() { close(gone) })
}

func (o *overtakenPortfolio) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		held := o.held
		if strings.HasSuffix(r.URL.Path, "/api/v1/portfolio") {
			o.held = nil
		} else {
			held = nil
		}
		o.mu.Unlock()
		if held == nil {
			next.ServeHTTP(w, r)
			return
		}
		read := httptest.NewRecorder()
		next.ServeHTTP(read, r)
		held()
		for name, values := range read.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(read.Code)
		_, _ = w.Write(read.Body.Bytes())
	})
}
