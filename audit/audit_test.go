package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func report(t *testing.T, found []Finding) {
	t.Helper()
	for _, f := range found {
		t.Errorf("%s: %s: %s", f.Invariant, f.Subject, f.Problem)
	}
}

func TestASoundTapeComesToTheState(t *testing.T) {
	t.Parallel()
	r := sampleTape()
	book := replay(t, r.events)
	report(t, book.Findings())
	report(t, book.Compare(sampleState(r)))
	if stats := book.Stats(); stats.Events != int64(len(r.events)) || stats.Markets != 3 || stats.Fallbacks != 0 {
		t.Errorf("stats %+v", stats)
	}
}

func TestARandomTapeIsSound(t *testing.T) {
	t.Parallel()
	for _, outcomes := range []int{2, 3, 50} {
		report(t, replay(t, randomTape(t, 5, outcomes, 2000)).Findings())
	}
}

func TestAForgedEventIsFound(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		at       int // place in the sample
		old, new string
		want     string
	}{
		{"a handle that is taken", 1, `"Bo"`, `"ANA"`, "an account is opened once"},
		{"an account that never was", 0, `"ana"`, `"ann"`, knownAccounts},
		{"a negative opening", 0, `"1000.000000"`, `"-1000.000000"`, "grants are positive"},
		{"a grant of nothing", 2, `"5.000000"`, `"0.000000"`, "grants are positive"},
		{"a grant to nobody", 2, `"Bo"`, `"Cy"`, knownAccounts},
		{"a grant without a reason", 2, `"reason"`, `"because"`, wellFormed},

		{"another liquidity", 3, `"100.000000"`, `"101.000000"`, "the subsidy is ceil(b ln n)"},
		{"a smaller subsidy", 3, `"69.314719"`, `"69.314718"`, "the subsidy is ceil(b ln n)"},
		{"a liquidity beyond the limits", 3, `"100.000000"`, `"0.000001"`, wellFormed},
		{"an earlier close", 3, `T13:00:00.000000`, `T12:00:05.000000`, tradingHours},
		{"a close at no time", 3, `T13:00:00.000000`, `T25:00:00.000000`, wellFormed},
		{"a market that was made open", 3, `"draft"`, `"open"`, lifecycle},
		{"a market that was made halted", 3, `"draft"`, `"halted"`, lifecycle},
		{"a payout for void that is none", 3, `"no":"0.500000"}}`, `"no":"0.500001"}}`, onSimplex},
		{"one outcome", 3, `["yes","no"]`, `["yes"]`, wellFormed},
		{"the same outcome twice", 3, `["yes","no"]`, `["yes","yes"]`, wellFormed},
		{"other outcomes", 3, `["yes","no"]`, `["no","yes"]`, onSimplex},
		{"opening prices", 3, `{"yes":"0.500000000000","no":"0.500000000000"}}`, `{"yes":"0.500000000001","no":"0.499999999999"}}`, pricesFollow},

		{"a trade id that was used", 6, `"id":3`, `"id":1`, "trade ids rise"},
		{"a trade of nobody", 6, `"account":"Bo"`, `"account":"Cy"`, knownAccounts},
		{"a trade in another outcome", 6, `"outcome":"no"`, `"outcome":"yes"`, chargesFollow},
		{"a trade in no outcome", 6, `"outcome":"no"`, `"outcome":"maybe"`, wellFormed},
		{"a sale that was a buy", 6, `"buy"`, `"sell"`, "no negative position"},
		{"no side", 6, `"buy"`, `"hold"`, wellFormed},
		{"a micro more of shares", 6, `"20.000000"`, `"20.000001"`, pricesFollow},
		{"no shares", 6, `"20.000000"`, `"0.000000"`, wellFormed},
		{"a micro less paid", 6, `"8.027827"`, `"8.027826"`, chargesFollow},
		{"a micro more paid", 6, `"8.027827"`, `"8.027828"`, chargesFollow},
		{"seven decimals", 6, `"8.027827"`, `"8.0278270"`, wellFormed},
		{"an average price", 6, `"0.401391"`, `"0.401392"`, chargesFollow},
		{"a price", 6, `"0.574442516812","no":"0.425557483188"`, `"0.574442516811","no":"0.425557483189"`, pricesFollow},
		{"a price too few", 6, `,"no":"0.425557483188"`, ``, wellFormed},
		{"a member twice", 6, `"id":3`, `"id":3,"amount":"8.027827"`, wellFormed},
		{"half an event", 6, `}}`, `}`, wellFormed},
		{"something behind the event", 6, `}}`, `}} {}`, wellFormed},
		{"sets for less than 1", 7, `"amount":"10.000000"`, `"amount":"9.999999"`, chargesFollow},
		{"sets that nobody holds", 10, `"shares":"4.000000","amount":"4.000000"`, `"shares":"11.000000","amount":"11.000000"`, "no negative position"},

		{"a status that was not reached", 8, `"status":"halted"`, `"status":"closed"`, lifecycle},
		{"no reason", 8, `"hm"`, `""`, lifecycle},
		{"nobody", 8, `"actor":"root"`, `"actor":""`, lifecycle},
		{"a proposal of more than 1", 12, `"no":"0.000000"`, `"no":"0.500000"`, onSimplex},
		{"a proposal below 0", 12, `"yes":"1.000000","no":"0.000000"`, `"yes":"1.500000","no":"-0.500000"`, onSimplex},
		{"a payout of other outcomes", 14, `"yes":"0.333333","no"`, `"oui":"0.333333","non"`, onSimplex},
		{"short of nothing", 16, `"1.500000"`, `"0.000000"`, shortFollows},
		{"short of more than must be given back", 16, `"1.500000"`, `"1000.000000"`, shortFollows},
		{"short without having got anything", 16, `"short":{"Bo"`, `"short":{"Cy"`, shortFollows},
		{"short of a micro more", 16, `"1.500000"`, `"1.500001"`, shortFollows},
		{"another payout for void", 18, `"a":"0.333334","b":"0.333333"`, `"a":"0.333333","b":"0.333334"`, payoutFollows},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			events := sampleTape().events
			e := &events[tt.at]
			if strings.Count(e.Body, tt.old) == 0 {
				t.Fatalf("no %s in %s", tt.old, e.Body)
			}
			e.Body = strings.Replace(e.Body, tt.old, tt.new, 1)
			wantFound(t, replay(t, events).Findings(), "every hash follows from the one before")
			rehash(events)
			wantFound(t, replay(t, events).Findings(), tt.want)
		})
	}
}

func wantFound(t *testing.T, found []Finding, want string) {
	t.Helper()
	if !slices.ContainsFunc(found, func(f Finding) bool { return f.Invariant == want }) {
		t.Errorf("found %q, want %q among it", found, want)
	}
}

func TestAForgedRowIsFound(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(events []Event) []Event
		want   string
	}{
		{"the time", func(e []Event) []Event { e[6].At = e[6].At.Add(time.Microsecond); return e }, "every hash follows from the one before"},
		{"the kind", func(e []Event) []Event { e[6].Kind = "halted"; return e }, "every hash follows from the one before"},
		{"the hash", func(e []Event) []Event { e[6].Hash[0] ^= 1; return e }, "every hash follows from the one before"},
		{"the hash before", func(e []Event) []Event { e[6].Prev[31] ^= 1; return e }, "every hash follows from the one before"},
		{"no hash", func(e []Event) []Event { e[6].Hash = nil; return e }, "every hash follows from the one before"},
		{"the seq", func(e []Event) []Event { e[6].Seq = 9; return e }, "seq is gapless from 1"},
		{"an event is gone", func(e []Event) []Event { return slices.Delete(e, 6, 7) }, "seq is gapless from 1"},
		{"the first is gone", func(e []Event) []Event { return slices.Delete(e, 3, 4) }, "a market is created once, before all else"},
		{"an event twice", func(e []Event) []Event { return slices.Insert(e, 6, e[6]) }, "seq is gapless from 1"},
		{"an event of another market", func(e []Event) []Event { e[6].Market = "snow"; return e }, "every hash follows from the one before"},
		{"a market's event in the house's stream", func(e []Event) []Event { e[6].Market = "house"; return e }, wellFormed},
		{"an event of no known kind", func(e []Event) []Event { e[6].Kind = "gift"; return e }, wellFormed},

		// From here on with hashes that are right.
		{"a trade while halted", func(e []Event) []Event { e[9], e[10] = e[10], e[9]; rehash(e); return e }, tradingHours},
		{"a trade after the resolution", func(e []Event) []Event { e[10], e[14] = e[14], e[10]; rehash(e); return e }, tradingHours},
		{"a second resolution", func(e []Event) []Event { e = slices.Insert(e, 15, e[14]); rehash(e); return e }, lifecycle},
		{"a correction before the resolution", func(e []Event) []Event { e[14], e[16] = e[16], e[14]; rehash(e); return e }, lifecycle},
		{"a grant in a market", func(e []Event) []Event { e[2].Market = "rain"; rehash(e); return e }, wellFormed},
		{"a trade at the close", func(e []Event) []Event { e[10].At = began.Add(time.Hour); rehash(e); return e }, tradingHours},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantFound(t, replay(t, tt.change(sampleTape().events)).Findings(), tt.want)
		})
	}
}

func TestSpendingMoreThanThereIsIsFound(t *testing.T) {
	t.Parallel()
	r := sampleTape()
	r.events[1].Body = strings.Replace(r.events[1].Body, "70.842546", "1.000000", 1)
	r.add("house", "grant", `{"grant":{"account":"Bo","amount":"69.842546","reason":"late","actor":"root"}}`)
	rehash(r.events)
	book := replay(t, r.events)
	wantFound(t, book.Findings(), "no negative balance")

	// At the end all is there; only in between it was not.
	state := sampleState(r)
	state.House = HouseState{Version: 4, Head: book.Heads()["house"].Hash, Balance: state.House.Balance}
	for i := range state.Markets {
		state.Markets[i].Head = book.Heads()[state.Markets[i].Market].Hash
	}
	report(t, book.Compare(state))

	// A clock that was set back does not tell what was there when.
	for i := range r.events {
		if e := &r.events[i]; e.Market == "snow" {
			e.At = e.At.Add(-time.Hour * time.Duration(e.Seq))
		}
	}
	rehash(r.events)
	book = replay(t, r.events)
	report(t, book.Findings())
	if !book.Stats().ClockSetBack {
		t.Error("times that run backwards went unnoticed")
	}
}

func TestAStateThatDiffersIsFound(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		change  func(s *State)
		subject string
		problem string
	}{
		{"the house's version", func(s *State) { s.House.Version++ }, "the house", "version 4"},
		{"the house's head", func(s *State) { s.House.Head = strings.Repeat("0", 64) }, "the house", "head 00"},
		{"the house's balance", func(s *State) { s.House.Balance = "-1091.221737" }, "the house", "balance"},
		{"a balance of a micro more", func(s *State) { s.Accounts[0].Balance = "1021.907020" }, "account ana", "balance 1021.907020, by the tape 1021.907019"},
		{"a balance that is none", func(s *State) { s.Accounts[0].Balance = "NaN" }, "account ana", "balance NaN"},
		{"an account too many", func(s *State) { s.Accounts = append(s.Accounts, AccountState{"cy", "0"}) }, "account cy", "unknown to the tape"},
		{"an account too few", func(s *State) { s.Accounts = s.Accounts[:1] }, "account Bo", "no such account"},
		{"a market too few", func(s *State) { s.Markets = s.Markets[:2] }, "market wind", "no such market"},
		{"a market twice", func(s *State) { s.Markets = append(s.Markets, s.Markets[0]) }, "market rain", "named twice"},
		{"a status", func(s *State) { s.Markets[0].Status = "void" }, "market rain", "status void"},
		{"a version", func(s *State) { s.Markets[0].Version-- }, "market rain", "version 12"},
		{"a head", func(s *State) { s.Markets[0].Head = s.Markets[1].Head }, "market rain", "head "},
		{"an outcome", func(s *State) { s.Markets[0].Outcomes[0] = "YES" }, "market rain", "outcomes YES"},
		{"outstanding shares", func(s *State) { s.Markets[0].Outstanding[1] = "26.000001" }, "market rain", "outstanding {56.000000,26.000001}"},
		{"a price", func(s *State) { s.Markets[0].Prices[0] = "0.574442516811" }, "market rain", "prices"},
		{"the volume", func(s *State) { s.Markets[0].Volume = "36.120807" }, "market rain", "volume"},
		{"the number of trades", func(s *State) { s.Markets[0].Trades = 5 }, "market rain", "trades 5"},
		{"a proposal", func(s *State) { s.Markets[0].Proposal = nil }, "market rain", "proposal {}"},
		{"a payout", func(s *State) { s.Markets[0].Payout = []string{"0", "1"} }, "market rain", "payout {0,1}"},
		{"a payout that was not", func(s *State) { s.Markets[2].Payout = []string{"0", "1"} }, "market wind", "payout {0,1}"},
		{"an escrow", func(s *State) { s.Markets[2].Escrow = "69.314718" }, "market wind", "escrow 69.314718, by the tape 69.314719"},
		{"a position", func(s *State) { s.Positions[0].Shares = "49.999999" }, "account ana, market rain, outcome yes", "position 49.999999, by the tape 50.000000"},
		{"a position too few", func(s *State) { s.Positions = s.Positions[1:] }, "account ana, market rain, outcome yes", "no position"},
		{"a position too many", func(s *State) { s.Positions[3].Shares = "0.000001" }, "account Bo, market wind, outcome no", "position 0.000001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := sampleTape()
			state := sampleState(r)
			tt.change(&state)
			found := replay(t, r.events).Compare(state)
			if len(found) != 1 || found[0].Subject != tt.subject || !strings.Contains(found[0].Problem, tt.problem) {
				t.Errorf("found %q, want one of %s: %s", found, tt.subject, tt.problem)
			}
		})
	}
}

func TestManyFindingsOfOneKindAreCounted(t *testing.T) {
	t.Parallel()
	events := randomTape(t, 1, 2, 500)
	for i := range events {
		if events[i].Kind == "created" {
			events[i].Body = strings.Replace(events[i].Body, `"100.000000"`, `"99.000000"`, 1)
		}
	}
	rehash(events)
	var prices []Finding
	for _, f := range replay(t, events).Findings() {
		if f.Invariant == pricesFollow {
			prices = append(prices, f)
		}
	}
	if len(prices) != most+1 || !strings.HasSuffix(prices[most].Problem, " more") {
		t.Errorf("%d findings, the last %q", len(prices), prices[len(prices)-1])
	}
}

func TestReplayEndsWithItsSource(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection lost")
	events := randomTape(t, 3, 2, 3000)
	source := func(yield func(Event, error) bool) {
		for i, e := range events {
			if i == 2000 {
				yield(Event{}, broken)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
	if _, err := Replay(t.Context(), source, Options{}); !errors.Is(err, broken) {
		t.Errorf("err = %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Replay(ended, each(events), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}

func TestProgressReachesTheTotal(t *testing.T) {
	t.Parallel()
	events := randomTape(t, 3, 2, 3000)
	last, calls := int64(0), 0
	_, err := Replay(t.Context(), each(events), Options{Workers: 3, Total: int64(len(events)), Progress: func(done, total int64) {
		if done < last || total != int64(len(events)) {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last, calls = done, calls+1
	}})
	if err != nil || last != int64(len(events)) || calls < 3 {
		t.Errorf("%d calls, the last %d: %v", calls, last, err)
	}
}

func BenchmarkReplay(b *testing.B) {
	for _, outcomes := range []int{2, 10, 50} {
		events := randomTape(b, 20, outcomes, 200_000)
		b.Run(fmt.Sprint(outcomes, " outcomes"), func(b *testing.B) {
			for b.Loop() {
				if book := replay(b, events); len(book.Findings()) != 0 {
					b.Fatal(book.Findings()[0])
				}
			}
			b.ReportMetric(float64(len(events)*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
