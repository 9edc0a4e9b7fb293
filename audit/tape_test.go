package audit

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgtape/pgtape/audit/lmsr"
)

// began is when test tapes begin; each event is a second later than the one before.
var began = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// recorder writes tapes for tests.
type recorder struct {
	events []Event
	chains map[string]*chain
}

func newRecorder() *recorder { return &recorder{chains: map[string]*chain{}} }

func (r *recorder) add(market, kind, body string) {
	c := r.chains[market]
	if c == nil {
		c = &chain{}
		r.chains[market] = c
	}
	e := Event{
		Market: market, Seq: c.seq + 1, At: began.Add(time.Duration(len(r.events)) * time.Second),
		Kind: kind, Body: body, Prev: slices.Clone(c.hash[:]),
	}
	hash := c.hashOf(e)
	e.Hash = hash[:]
	c.seq, c.hash = e.Seq, hash
	r.events = append(r.events, e)
}

// rehash makes the hashes of changed events right again, as somebody who forges history would.
func rehash(events []Event) {
	chains := map[string]*chain{}
	for i := range events {
		e := &events[i]
		c := chains[e.Market]
		if c == nil {
			c = &chain{}
			chains[e.Market] = c
		}
		e.Seq, e.Prev = c.seq+1, slices.Clone(c.hash[:])
		hash := c.hashOf(*e)
		e.Hash = hash[:]
		c.seq, c.hash = e.Seq, hash
	}
}

func each(events []Event) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func replay(t testing.TB, events []Event) *Book {
	t.Helper()
	book, err := Replay(context.Background(), each(events), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// sampleTape is a small book with an event of each kind. The numbers are worked out by hand, the
// charges those of lmsr-vectors.json.
func sampleTape() *recorder {
	const even, after = `{"yes":"0.500000000000","no":"0.500000000000"}`, `{"yes":"0.622459331202","no":"0.377540668798"}`
	const final = `{"yes":"0.574442516812","no":"0.425557483188"}`
	r := newRecorder()
	r.add("house", "account", `{"account":{"handle":"ana","opening_grant":"1000.000000"}}`)
	r.add("house", "account", `{"account":{"handle":"Bo","opening_grant":"70.842546"}}`)
	r.add("house", "grant", `{"grant":{"account":"Bo","amount":"5.000000","reason":"for \"fun\"","actor":"root"}}`)
	r.add("rain", "created", `{"created":{"question":"Will it?","description":"","category":"","outcomes":["yes","no"],"liquidity":"100.000000","subsidy":"69.314719","closes_at":"2026-07-01T13:00:00.000000Z","account":"house","void_payout":{"yes":"0.500000","no":"0.500000"}},"status":"draft","prices":`+even+`}`)
	r.add("rain", "opened", `{"opened":{"reason":"go","actor":"root"},"status":"open","prices":`+even+`}`)
	r.add("rain", "trade", `{"trade":{"id":1,"account":"ana","outcome":"yes","side":"buy","shares":"50.000000","amount":"28.092981","avg_price":"0.561860"},"prices":`+after+`}`)
	r.add("rain", "trade", `{"trade":{"id":3,"account":"Bo","outcome":"no","side":"buy","shares":"20.000000","amount":"8.027827","avg_price":"0.401391"},"prices":`+final+`}`)
	r.add("rain", "trade", `{"trade":{"id":4,"account":"Bo","outcome":"*","side":"buy","shares":"10.000000","amount":"10.000000","avg_price":"1.000000"},"prices":`+final+`}`)
	r.add("rain", "halted", `{"halted":{"reason":"hm","actor":"root"},"status":"halted","prices":`+final+`}`)
	r.add("rain", "opened", `{"opened":{"reason":"go","actor":"root"},"status":"open","prices":`+final+`}`)
	r.add("rain", "trade", `{"trade":{"id":7,"account":"Bo","outcome":"*","side":"sell","shares":"4.000000","amount":"4.000000","avg_price":"1.000000"},"prices":`+final+`}`)
	r.add("rain", "closed", `{"closed":{"reason":"over","actor":"root"},"status":"closed","prices":`+final+`}`)
	r.add("rain", "proposed", `{"proposed":{"payout":{"yes":"1.000000","no":"0.000000"},"reason":"it did","actor":"root"},"status":"proposed","prices":`+final+`}`)
	r.add("rain", "disputed", `{"disputed":{"reason":"did not","actor":"Bo"},"status":"disputed","prices":`+final+`}`)
	r.add("rain", "resolved", `{"resolved":{"payout":{"yes":"0.333333","no":"0.666667"},"reason":"partly","actor":"root"},"status":"resolved","prices":`+final+`}`)
	r.add("wind", "created", `{"created":{"question":"?","outcomes":["yes","no"],"liquidity":"100.000000","subsidy":"69.314719","closes_at":null,"account":"Bo","void_payout":{"yes":"0.500000","no":"0.500000"}},"status":"open","prices":`+even+`}`)
	r.add("rain", "corrected", `{"corrected":{"payout":{"yes":"1.000000","no":"0.000000"},"short":{"Bo":"1.500000"},"reason":"it did","actor":"root"},"status":"resolved","prices":`+final+`}`)
	r.add("snow", "created", `{"created":{"question":"?","outcomes":["a","b","c"],"liquidity":"10.000000","subsidy":"10.986123","closes_at":null,"account":"ana","void_payout":{"a":"0.333334","b":"0.333333","c":"0.333333"}},"status":"open","prices":{"a":"0.333333333333","b":"0.333333333333","c":"0.333333333334"}}`)
	r.add("snow", "void", `{"void":{"payout":{"a":"0.333334","b":"0.333333","c":"0.333333"},"reason":"no answer","actor":"root"},"status":"void","prices":{"a":"0.333333333333","b":"0.333333333333","c":"0.333333333334"}}`)
	return r
}

// sampleState is what the sample comes to. ana: 1000 - 28.092981, then 50 yes at 1; the payout of
// 1/3 and its correction add up to that. Bo: 75.842546 - 8.027827 - 10 + 4, 19.333340 by the first
// payout of 6 yes and 26 no, and 69.314719 of that escrowed for wind; when he must give back
// 13.333340 he has 11.833340. The house has the rest of what it issued.
func sampleState(r *recorder) State {
	head := func(market string) string { return fmt.Sprintf("%x", r.chains[market].hash) }
	return State{
		House: HouseState{Version: 3, Head: head("house"), Balance: "-1091.221738"},
		Accounts: []AccountState{
			{"ana", "1021.907019"},
			{"Bo", "0.000000"},
		},
		Markets: []MarketState{{
			Market: "rain", Status: "resolved", Version: 13, Head: head("rain"), Outcomes: []string{"yes", "no"},
			Outstanding: []string{"56.000000", "26.000000"}, Prices: []string{"0.574442516812", "0.425557483188"},
			Volume: "36.120808", Trades: 2, Proposal: []string{"1.000000", "0.000000"}, Payout: []string{"1", "0"}, Escrow: "0.000000",
		}, {
			Market: "snow", Status: "void", Version: 2, Head: head("snow"), Outcomes: []string{"a", "b", "c"},
			Outstanding: []string{"0", "0", "0"}, Prices: []string{"0.333333333333", "0.333333333333", "0.333333333334"},
			Volume: "0", Payout: []string{"0.333334", "0.333333", "0.333333"}, Escrow: "0",
		}, {
			Market: "wind", Status: "open", Version: 1, Head: head("wind"), Outcomes: []string{"yes", "no"},
			Outstanding: []string{"0", "0"}, Prices: []string{"0.5", "0.5"}, Volume: "0", Escrow: "69.314719",
		}},
		Positions: []PositionState{
			{"ana", "rain", "yes", "50.000000"},
			{"Bo", "rain", "yes", "6.000000"},
			{"Bo", "rain", "no", "26.000000"},
			{"Bo", "wind", "no", "0.000000"},
		},
	}
}

// randomTape is a sound tape of at least so many events.
func randomTape(t testing.TB, markets, outcomes, events int) []Event {
	t.Helper()
	r := newRecorder()
	for i := range 50 {
		r.add("house", "account", fmt.Sprintf(`{"account":{"handle":"a%d","opening_grant":"1000000000.000000"}}`, i))
	}
	var names []string
	for i := range outcomes {
		names = append(names, fmt.Sprint("outcome", i))
	}
	for i := range markets {
		slug := fmt.Sprint("m", i)
		maker, err := lmsr.New(100*lmsr.Micro, outcomes)
		if err != nil {
			t.Fatal(err)
		}
		void := make([]int64, outcomes)
		void[0] = lmsr.Micro
		r.add(slug, "created", fmt.Sprintf(
			`{"created":{"question":"?","outcomes":["%s"],"liquidity":"100.000000","subsidy":"%s","closes_at":null,"account":"house","void_payout":%s},"status":"open","prices":%s}`,
			strings.Join(names, `","`), credits(lmsr.Subsidy(100*lmsr.Micro, outcomes)),
			byName(names, void, creditDecimals), byName(names, maker.Prices(), priceDecimals)))
		for j := range events / markets {
			side, delta, outcome := "buy", int64(1_234_567+j%1000), j%outcomes
			if j/outcomes%2 == 1 {
				side, delta = "sell", -1_000_000
			}
			charge, err := maker.Trade(outcome, delta)
			if err != nil {
				t.Fatal(err)
			}
			shares := max(delta, -delta)
			r.add(slug, "trade", fmt.Sprintf(
				`{"trade":{"id":%d,"account":"a%d","outcome":"%s","side":"%s","shares":"%s","amount":"%s","avg_price":"%s"},"prices":%s}`,
				len(r.events), j%outcomes, names[outcome], side, credits(shares), credits(charge.Amount),
				credits((charge.Amount*2*lmsr.Micro/shares+1)/2), byName(names, maker.Prices(), priceDecimals)))
		}
	}
	return r.events
}

func byName(names []string, numbers []int64, decimals int) string {
	var members []string
	for i, name := range names {
		members = append(members, fmt.Sprintf("%q:%q", name, formatFixed(numbers[i], decimals)))
	}
	return "{" + strings.Join(members, ",") + "}"
}
