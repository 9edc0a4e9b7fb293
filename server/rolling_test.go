package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgtape/pgtape/client"
	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server"
	"github.com/pgtape/pgtape/server/edge"
)

// Two nodes behind a proxy are restarted in turn while people trade and watch. No event is lost or
// doubled, and no request fails. The rule for a request is the strictest: its first answer counts,
// whoever asked asks once. The proxy is as plain as they come: it sends requests to nodes that say
// that they are ready, and tries another only where a connection could not be made.
func TestARollingRestartLosesNothing(t *testing.T) {
	d := dbtest.New(t)
	rollingRestart(t, d, func(address string) *rollingNode { return startNode(t, d, address, rollingDrain) })
}

// The same with two edges of a server that stays.
func TestARollingRestartOfEdgesLosesNothing(t *testing.T) {
	d := dbtest.New(t)
	origin := startNode(t, d, "127.0.0.1:0", 0)
	rollingRestart(t, d, func(address string) *rollingNode { return startEdge(t, origin, address, rollingDrain) })
}

const rollingDrain = 2 * time.Second

// rollingRestart does so with two nodes that start makes.
func rollingRestart(t *testing.T, d *dbtest.DB, start func(address string) *rollingNode) {
	t.Helper()
	const (
		watchers = 200
		traders  = 16
	)
	markets := []string{d.Market(t, dbtest.Liquidity("5000")), d.Market(t, dbtest.Liquidity("5000"))}
	proxy := &rollingProxy{}
	front := httptest.NewServer(proxy.handler())
	t.Cleanup(front.Close)
	nodes := []*rollingNode{start("127.0.0.1:0"), start("127.0.0.1:0")}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	for _, n := range nodes {
		n.awaitReady(t)
		proxy.add(ctx, n.address)
	}

	var watching sync.WaitGroup
	all := make([]*rollingWatcher, watchers)
	stopWatching := make(map[*rollingWatcher]context.CancelFunc, watchers)
	for i := range all {
		w := &rollingWatcher{market: markets[i%len(markets)], joined: make(chan struct{}), moved: make(chan struct{}, 1)}
		watch, stop := context.WithCancel(ctx)
		all[i], stopWatching[w] = w, stop
		watching.Go(func() {
			c := client.New(front.URL)
			defer c.Close()
			if err := c.Watch(watch, []client.Subscription{{Market: w.market}}, w.take); err != nil {
				t.Errorf("watching: %v", err)
			}
		})
	}
	for _, w := range all {
		wait(t, "a watcher's snapshot", w.joined)
	}

	var trading sync.WaitGroup
	var acknowledged atomic.Int64
	enough := make(chan struct{})
	for i := range traders {
		c := client.New(front.URL)
		t.Cleanup(c.Close)
		_, err := c.SignIn(ctx, fmt.Sprintf("trader%d", i))
		must(t, err)
		trading.Go(func() {
			for {
				_, err := c.Trade(ctx, markets[i%len(markets)], client.Order{Outcome: "yes", Side: "buy", Shares: "0.1", MaxCost: "1"}, client.NewKey())
				if err != nil {
					t.Errorf("a trade failed: %v", err)
					return
				}
				acknowledged.Add(1)
				select {
				case <-enough:
					return
				case <-time.After(200*time.Millisecond + rand.N(200*time.Millisecond)):
				}
			}
		})
	}

	for i, n := range nodes {
		n.stop(t)
		nodes[i] = start(n.address)
		nodes[i].awaitReady(t)
		proxy.awaitReady(t, n.address)
	}
	close(enough)
	trading.Wait()

	var made int64
	heads := map[string]int64{}
	for _, market := range markets {
		state, err := d.DB.Market(ctx, market)
		must(t, err)
		heads[market] = state.Version
		made += state.Version - 1 // after the event that made it
	}
	if made != acknowledged.Load() {
		t.Errorf("%d trades are on the tapes, %d were acknowledged", made, acknowledged.Load())
	}
	moved := 0
	for _, w := range all {
		w.upTo(t, heads[w.market])
		stopWatching[w]()
	}
	watching.Wait()
	for _, w := range all {
		if w.wrong != "" {
			t.Errorf("a watcher: %s", w.wrong)
		}
		moved += w.connections - 1
	}
	if moved < watchers {
		t.Errorf("the watchers have changed their connections %d times: was there a restart?", moved)
	}
	if n := proxy.failed.Load(); n > 0 {
		t.Errorf("%d requests found no node", n)
	}
	for _, n := range nodes {
		n.stop(t)
	}
	d.Verify(t)
}

// rollingWatcher wants each event once and in order, behind one snapshot.
type rollingWatcher struct {
	market string
	joined chan struct{}
	moved  chan struct{} // has room for one

	seq         atomic.Int64
	connections int // the rest: of the goroutine that watches
	wrong       string
	begun       bool
}

func (w *rollingWatcher) take(f client.Frame) {
	switch f.Op {
	case client.OpSnapshot:
		if w.begun {
			w.wrong = fmt.Sprintf("a second snapshot at %d, behind %d", f.Seq, w.seq.Load())
		} else {
			w.begun = true
			w.connections = 1
			close(w.joined)
		}
		w.seq.Store(f.Seq)
	case client.OpEvent:
		if f.Seq != w.seq.Load()+1 {
			w.wrong = fmt.Sprintf("event %d behind %d", f.Seq, w.seq.Load())
		}
		w.seq.Store(f.Seq)
	case client.OpReconnecting:
		w.connections++
	}
	select {
	case w.moved <- struct{}{}:
	default:
	}
}

func (w *rollingWatcher) upTo(t *testing.T, seq int64) {
	t.Helper()
	late := time.After(patience)
	for w.seq.Load() < seq {
		select {
		case <-w.moved:
		case <-late:
			t.Fatalf("a watcher is at %d, the market at %d", w.seq.Load(), seq)
		}
	}
}

// rollingNode is a server or an edge as its command runs it.
type rollingNode struct {
	address string
	end     func() error
}

// startNode starts a server on a database that it shares.
func startNode(t *testing.T, d *dbtest.DB, address string, drain time.Duration) *rollingNode {
	t.Helper()
	pool, err := db.Open(t.Context(), d.URL(), db.Options{AsServer: true})
	must(t, err)
	reader := tape.NewReader(tape.Options{URL: d.URL()})
	s := server.New(server.Config{DB: pool, Reader: reader, SignUp: server.Handle, Drain: drain})
	n := runNode(t, address, s.Serve, s.Run, func(ctx context.Context) error { return reader.Run(ctx, s.Sink()) })
	end := n.end
	n.end = sync.OnceValue(func() error {
		defer pool.Close()
		return end()
	})
	return n
}

func startEdge(t *testing.T, origin *rollingNode, address string, drain time.Duration) *rollingNode {
	t.Helper()
	from, err := edge.New(edge.Options{URL: "http://" + origin.address})
	must(t, err)
	e := server.NewEdge(server.EdgeConfig{Origin: from, Drain: drain})
	return runNode(t, address, e.Serve, e.Run)
}

// runNode serves until its end, and runs the tasks until that is over.
func runNode(t *testing.T, address string, serve func(context.Context, net.Listener) error, run ...func(context.Context) error) *rollingNode {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	must(t, err)
	serving, leave := context.WithCancel(context.Background())
	feeding, fed := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	for _, task := range run {
		tasks.Go(func() { _ = task(feeding) })
	}
	served := make(chan error, 1)
	tasks.Go(func() {
		defer fed()
		served <- serve(serving, listener)
	})
	n := &rollingNode{address: listener.Addr().String()}
	n.end = sync.OnceValue(func() error {
		leave()
		tasks.Wait()
		return <-served
	})
	t.Cleanup(func() { _ = n.end() })
	return n
}

func (n *rollingNode) stop(t *testing.T) {
	t.Helper()
	must(t, n.end())
}

func (n *rollingNode) awaitReady(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); !isReady(t.Context(), n.address); {
		if time.Now().After(deadline) {
			t.Fatal("a node does not become ready")
		}
	}
}

func isReady(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// rollingProxy sends requests and sockets to nodes that are ready, in turn.
type rollingProxy struct {
	next   atomic.Int64
	failed atomic.Int64

	mu    sync.Mutex
	nodes []string
	ready map[string]bool
}

// add looks at a node's readiness until ctx ends.
func (p *rollingProxy) add(ctx context.Context, address string) {
	look := func() {
		ready := isReady(ctx, address)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.ready[address] = ready
	}
	p.mu.Lock()
	p.nodes = append(p.nodes, address)
	if p.ready == nil {
		p.ready = map[string]bool{}
	}
	p.mu.Unlock()
	look()
	go func() {
		for ctx.Err() == nil {
			look()
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
}

// targets are the nodes that are ready, the one whose turn it is first.
func (p *rollingProxy) targets() (ready []string) {
	turn := int(p.next.Add(1))
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.nodes {
		if address := p.nodes[(turn+i)%len(p.nodes)]; p.ready[address] {
			ready = append(ready, address)
		}
	}
	return ready
}

func (p *rollingProxy) awaitReady(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		p.mu.Lock()
		ready := p.ready[address]
		p.mu.Unlock()
		if ready {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the proxy does not see that a node is ready")
		}
	}
}

func (p *rollingProxy) handler() http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.Host = "http", r.In.Host },
		Transport: p,
		ErrorLog:  quiet,
	}
}

// RoundTrip asks the node whose turn it is, and the next one if that cannot be connected to.
func (p *rollingProxy) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	err := errors.New("no node is ready")
	for _, address := range p.targets() {
		out := r.Clone(r.Context())
		out.URL.Host = address
		if r.Body != nil {
			out.Body = io.NopCloser(bytes.NewReader(body))
		}
		var response *http.Response
		if response, err = http.DefaultTransport.RoundTrip(out); err == nil {
			return response, nil
		}
		var wire *net.OpError
		if !errors.As(err, &wire) || wire.Op != "dial" {
			break
		}
	}
	if r.Context().Err() == nil {
		p.failed.Add(1)
	}
	return nil, err
}
