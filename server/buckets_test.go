package server

import (
	"encoding/binary"
	"testing"
	"time"
)

func numbered(n int) (c client) {
	binary.BigEndian.PutUint64(c[:], uint64(n+1))
	return c
}

// TestBucketsForgetThoseWhoRest, and nobody else: whoever goes on asking is held to the limit among
// any number of others.
func TestBucketsForgetThoseWhoRest(t *testing.T) {
	t.Parallel()
	b, now := newBuckets(1, 2), time.Now()
	let := 0
	for n := range 5 * maxBuckets {
		now = now.Add(time.Microsecond)
		if _, wait := b.take(numbered(n), now); wait > 0 {
			t.Fatalf("client %d waits %v for its first token", n, wait)
		}
		if n%1000 == 0 {
			if _, wait := b.take(client{}, now); wait == 0 {
				let++
			}
		}
		if held := len(b.young) + len(b.old); held > 2*maxBuckets {
			t.Fatalf("%d buckets", held)
		}
	}
	if let != 2 {
		t.Errorf("let through %d times, want 2", let)
	}
	if _, wait := b.take(client{}, now.Add(time.Hour)); wait > 0 {
		t.Errorf("after an hour: %v", wait)
	}
	if held := len(b.young); held > 1 {
		t.Errorf("after an hour: %d buckets", held)
	}
}

func TestWhatWasTakenCanBeGivenBack(t *testing.T) {
	t.Parallel()
	b, now := newBuckets(1, 1), time.Now()
	taken, wait := b.take(client{}, now)
	if _, again := b.take(client{}, now); wait > 0 || again != time.Second {
		t.Fatalf("waits %v, then %v", wait, again)
	}
	taken.CancelAt(now)
	if _, wait := b.take(client{}, now); wait > 0 {
		t.Errorf("given back, waits %v", wait)
	}
}

func TestAddressesAreCountedByNetwork(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		one, other string
		same       bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
		{"", "@", true},
		{"", "0.0.0.0", false},
	} {
		if same := addressOf(tt.one) == addressOf(tt.other); same != tt.same {
			t.Errorf("%q and %q: the same: %v", tt.one, tt.other, same)
		}
	}
}

// TestKindsAreOfRoutes: a route that is renamed would lose its limit without a word.
func TestKindsAreOfRoutes(t *testing.T) {
	t.Parallel()
	routed := map[string]bool{}
	for _, route := range New(Config{}).echo.Routes() {
		routed[route.Method+" "+route.Path] = true
	}
	for route := range kinds {
		if !routed[route] {
			t.Errorf("there is no %s", route)
		}
	}
}
