package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/server"
)

// dialFrom opens a socket as somebody at an address, of whom a proxy tells.
func (s *site) dialFrom(t *testing.T, address, cookie string) *wire {
	t.Helper()
	header := http.Header{"X-Forwarded-For": {address}}
	if cookie != "" {
		header.Set("Cookie", cookie)
	}
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.url, "http")+"/ws", header)
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	return &wire{t: t, conn: conn}
}

// TestSubscriptionsAreReadByTurns: a hundred sockets of one client that subscribe to markets that are not
// there, or that nobody has read yet, hold up somebody else for a few reads, on a socket as on a stream,
// at another address as with an account at the same one. Whoever shares their turns waits for them all.
func TestSubscriptionsAreReadByTurns(t *testing.T) {
	t.Parallel()
	const attacker, sockets = "192.0.2.1", 100
	read, turn := make(chan string), make(chan struct{})
	held := func(market string) {
		select {
		case read <- market:
		case <-t.Context().Done():
			return
		}
		select {
		case <-turn:
		case <-t.Context().Done():
		}
	}
	s := openMade(t, dbtest.New(t), func(c server.Config) *server.Server { return server.NewReading(c, held) },
		trusting, func(c *server.Config) { c.Hub.Reads = 1 })
	cold, mine, other, streamed, last := s.Market(t), s.Market(t), s.Market(t), s.Market(t), s.Market(t)
	s.follow(t)
	ana := deviceOf(t, s.nobody().post(t, "/api/v1/session", `{"handle":"ana"}`, from(attacker)...))
	for i := range sockets {
		w := s.dialFrom(t, attacker, "")
		for k := range 5 {
			market := fmt.Sprintf("none-%d-%d", i, k)
			if k == 2 {
				market = cold
			}
			w.subscribe(market, "", []string{"tape", "quote"}[k%2])
		}
	}
	waitUntil(t, "subscriptions that wait", func() bool { return s.server.Joins() == 4*sockets })
	for market, w := range map[string]*wire{
		last: s.dialFrom(t, attacker, ""), mine: s.dialFrom(t, attacker, ana), other: s.dialFrom(t, "192.0.2.2", ""),
	} {
		w.subscribe(market, "", "tape")
		defer w.next("snapshot")
	}
	stream := s.stream(t, streamed, "") // at 127.0.0.1
	defer stream.next("snapshot")
	waitUntil(t, "subscriptions of others", func() bool { return s.server.Joins() == 4*sockets+4 })

	var order []string
	before := map[string]int{}
	for len(before) < 4 {
		market := <-read
		if _, known := before[market]; !known && (market == last || market == mine || market == other || market == streamed) {
			before[market] = len(order)
		}
		order = append(order, market)
		turn <- struct{}{}
	}
	go func() { // all the others
		for {
			select {
			case <-read:
				turn <- struct{}{}
			case <-t.Context().Done():
				return
			}
		}
	}()
	for what, market := range map[string]string{"another address": other, "a stream of a third one": streamed, "an account at the same address": mine} {
		if before[market] > 6 {
			t.Errorf("%s was read to after %d reads of others", what, before[market])
		}
	}
	if before[last] < 300 {
		t.Errorf("the control, who shares their turns, was read to after %d reads only", before[last])
	}
}
