package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pgtape/pgtape/e2e/link"
)

// through is the site as those see it who reach it by another address.
func (s *site) through(address string) *site {
	other := *s
	other.url = "http://" + address
	return &other
}

// linked puts a link before a site. Pages have to be opened on the site that it returns.
func (s *site) linked(t *testing.T) (*site, *link.Link) {
	t.Helper()
	l, err := link.New(strings.TrimPrefix(s.url, "http://"))
	must(t, err)
	t.Cleanup(l.Close)
	return s.through(l.Address()), l
}

// gateway is a proxy as stands at the edge of some networks: it lets requests through, and does
// with WebSockets what its rule says. Those let through go by a link of their own.
type gateway struct {
	sockets *link.Link
	rule    atomic.Int32
	tries   atomic.Int64 // sockets asked for
	http    http.Handler
	upgrade http.Handler
	over    chan struct{}
}

// What becomes of sockets.
const (
	passed    int32 = iota
	refused         // 403
	swallowed       // never answered
	mute            // opened, and nothing comes through
)

func (s *site) behindGateway(t *testing.T) (*site, *gateway) {
	t.Helper()
	l, err := link.New(strings.TrimPrefix(s.url, "http://"))
	must(t, err)
	g := &gateway{sockets: l, http: proxyTo(t, s.url), upgrade: proxyTo(t, "http://"+l.Address()), over: make(chan struct{})}
	web := httptest.NewServer(g)
	t.Cleanup(func() {
		close(g.over)
		l.Close()
		web.CloseClientConnections()
		web.Close()
	})
	return s.through(web.Listener.Addr().String()), g
}

func proxyTo(t *testing.T, target string) http.Handler {
	t.Helper()
	u, err := url.Parse(target)
	must(t, err)
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u)
			r.Out.Host = r.In.Host // the server compares it with a page's origin
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/ws" {
		g.http.ServeHTTP(w, r)
		return
	}
	g.tries.Add(1)
	switch g.rule.Load() {
	case refused:
		http.Error(w, "WebSockets are not for here", http.StatusForbidden)
	case swallowed:
		select {
		case <-g.over:
		case <-r.Context().Done():
		}
	case mute:
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		for err == nil {
			_, _, err = conn.ReadMessage()
		}
		conn.Close()
	default:
		g.upgrade.ServeHTTP(w, r)
	}
}

// blocked is what a browser says of sockets that do not get through.
var blocked = []string{"WebSocket connection to", "answer 403", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_REFUSED", "ERR_SOCKET_NOT_CONNECTED"}

// importLive imports the module that the page has loaded: under another address it would be another one.
const importLive = `import(document.querySelector("script[src$='/js/app.js']").src.replace("app.js", "live.js"))`

// listenIn notes, in the page, what the feed hands over, and the states it has been in.
func (p *page) listenIn(market string) {
	p.t.Helper()
	get[bool](p, fmt.Sprintf(importLive+`.then(({ feed, store }) => {
		const heard = globalThis.heardForTest = { from: store.state.markets.get(%q).state.version, frames: [], states: [] };
		const { onFrame, onStatus } = feed;
		feed.onFrame = (frame) => {
			if (frame.market === %q) heard.frames.push(frame.op + " " + frame.cursor);
			onFrame(frame);
		};
		feed.onStatus = (status) => {
			const state = status.state + " " + status.reason;
			if (heard.states.at(-1) !== state) heard.states.push(state);
			onStatus(status);
		};
		return true;
	})`, market, market))
}

// heardAll compares the page with the database, and what its feed has handed over with the tape:
// every event since it listened in, in order, once, and nothing else.
func (p *page) heardAll(market string) {
	p.t.Helper()
	p.agreesWith(market)
	from := get[int64](p, "heardForTest.from")
	heard := get[[]string](p, "heardForTest.frames")
	rows, err := p.site.Pool().Query(p.t.Context(), "select 'event ' || cursor from pgtape.tape where market = $1 and seq > $2 order by seq", market, from)
	must(p.t, err)
	var want []string
	for rows.Next() {
		var frame string
		must(p.t, rows.Scan(&frame))
		want = append(want, frame)
	}
	must(p.t, rows.Err())
	if !slices.Equal(heard, want) {
		p.t.Errorf("the feed handed over\n%v, the tape after v%d is\n%v", heard, from, want)
	}
}

// states are what the feed has been in since it was listened in to, as "live polling".
func (p *page) states() []string {
	p.t.Helper()
	return get[[]string](p, "heardForTest.states")
}

// untilFeed waits for a state and a reason of the badge.
func (p *page) untilFeed(state, reason string) {
	p.t.Helper()
	p.until("the feed is "+state+" "+reason, fmt.Sprintf(`(({ state, reason = "" }) => state === %q && reason === %q)(%s.dataset)`, state, reason, find(hook("badge"))))
}
