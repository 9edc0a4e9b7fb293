package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

const (
	plainTrades = 900 // in a few commits: many at a time, but fewer than the hub has at hand for the slow
	plainCrowd  = 20  // clients in Go, at each site: more than the hub writes to at once
)

// TestAClientOfTenLinesParsesEachMessageAsOneObject under load that joins messages in one write: in Go,
// in Node and in Chromium, at a server and at an edge.
func TestAClientOfTenLinesParsesEachMessageAsOneObject(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, ana := s.Market(t), s.Account(t, "1000000")
	e, _ := s.edge(t)
	var heard []func() string // of each client, what it has counted
	for _, at := range []*site{s, e} {
		for range plainCrowd {
			heard = append(heard, at.plainGo(t, market))
		}
		heard = append(heard, at.plainNode(t, market), at.plainPage(t, market))
	}
	for range 3 {
		s.Exec(t, `select count(*) from pgtape.trade_batch($1, (
			select jsonb_agg(jsonb_build_object('account', $2::text, 'outcome', 'yes', 'side', 'buy', 'shares', '0.01', 'max_cost', '1'))
			from generate_series(1, $3::integer)))`, market, ana, plainTrades/3)
	}
	for i, count := range heard {
		if got := count(); got != fmt.Sprint(plainTrades) {
			t.Errorf("client %d heard %s events, want %d", i, got, plainTrades)
		}
	}
	if writes := s.writes(t); writes > plainCrowd*plainTrades/4 {
		t.Errorf("%d writes: the load has joined little", writes)
	}
}

// writes are those of a server to its sockets.
func (s *site) writes(t *testing.T) (n int) {
	t.Helper()
	response, err := http.Get(s.url + "/metrics")
	must(t, err)
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "pgtape_frames_written_total %d", &n); err == nil {
			return n
		}
	}
	t.Fatal("no metric of the writes")
	return 0
}

func (s *site) plainGo(t *testing.T, market string) func() string {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.url, "http")+"/ws", nil)
	must(t, err)
	must(t, conn.WriteJSON(map[string]string{"op": "subscribe", "market": market}))
	joined, ended := make(chan struct{}), make(chan string, 1)
	go func() {
		for heard := 0; ; {
			_, message, err := conn.ReadMessage()
			var f struct {
				Op  string
				Seq int64
			}
			if err == nil {
				err = json.Unmarshal(message, &f)
			}
			if err != nil {
				ended <- err.Error()
				return
			}
			switch {
			case f.Op == "snapshot":
				close(joined)
			case f.Op == "event":
				heard++
			}
			if f.Op == "event" && f.Seq > plainTrades {
				ended <- fmt.Sprint(heard)
				return
			}
		}
	}()
	t.Cleanup(func() { conn.Close() })
	within(t, "the snapshot", joined)
	return func() string { return <-ended }
}

func (s *site) plainNode(t *testing.T, market string) func() string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience*2)
	t.Cleanup(cancel)
	node := exec.CommandContext(ctx, "node", "plain_client.mjs", s.url, market, fmt.Sprint(plainTrades+1))
	node.Stderr = os.Stderr
	stdout, err := node.StdoutPipe()
	must(t, err)
	must(t, node.Start())
	lines := bufio.NewScanner(stdout)
	next := func() string {
		lines.Scan()
		return lines.Text()
	}
	if said := next(); said != "joined" {
		t.Fatalf("node says %q", said)
	}
	return func() string {
		said := next()
		must(t, node.Wait())
		return said
	}
}

func (s *site) plainPage(t *testing.T, market string) func() string {
	t.Helper()
	p := s.page(t)
	p.goTo("/")
	get[bool](p, fmt.Sprintf(`new Promise((joined, failed) => {
		globalThis.heardForTest = new Promise((done, failed) => {
			const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/ws");
			let heard = 0;
			socket.onopen = () => socket.send(JSON.stringify({ op: "subscribe", market: %q }));
			socket.onmessage = ({ data }) => {
				try {
					const message = JSON.parse(data);
					if (message.op === "snapshot") joined(true);
					if (message.op === "event") heard++;
					if (message.op === "event" && message.seq > %d) done(String(heard));
				} catch (e) { done(String(e)); }
			};
			socket.onclose = () => done("closed");
		});
	})`, market, plainTrades))
	return func() string { return get[string](p, "heardForTest") }
}
