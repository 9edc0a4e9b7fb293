package client_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/client"
	"github.com/pgtape/pgtape/server"
	"github.com/pgtape/pgtape/server/servertest"
)

func TestATradeFromQuoteToReceipt(t *testing.T) {
	t.Parallel()
	w := servertest.New(t, server.Handle)
	ctx, market := t.Context(), w.Market(t)
	ana, bo := signedIn(t, w, "ana"), signedIn(t, w, "bo")

	quote, err := ana.Quote(ctx, market, client.Question{Outcome: "yes", Side: "buy", Shares: "10"})
	if err != nil {
		t.Fatal(err)
	}
	key := client.NewKey()
	receipt, err := ana.Trade(ctx, market, quote.Order(0), key)
	if err != nil || receipt.Account != "ana" || receipt.Amount != quote.Amount || receipt.Version != quote.Version+1 || receipt.Replayed {
		t.Fatalf("receipt = %+v (%v), want the quote %+v as ana's", receipt, err, quote)
	}
	again, err := ana.Trade(ctx, market, quote.Order(0), key)
	if err != nil || !again.Replayed || again.TradeID != receipt.TradeID {
		t.Errorf("the same key gave %+v (%v), want trade %d again", again, err, receipt.TradeID)
	}

	_, err = bo.Trade(ctx, market, quote.Order(0), client.NewKey())
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Code != client.CodeStaleQuote || refused.Status != 409 || refused.Quote == nil {
		t.Fatalf("error = %#v, want stale_quote with a fresh quote", err)
	}
	if _, err := bo.Trade(ctx, market, refused.Quote.Order(0), client.NewKey()); err != nil {
		t.Errorf("the fresh quote was refused: %v", err)
	}
	// A node may hear of a commit a moment after whoever made it.
	state, err := bo.Market(ctx, market)
	for deadline := time.Now().Add(10 * time.Second); err == nil && state.Version < 3 && time.Now().Before(deadline); {
		state, err = bo.Market(ctx, market)
	}
	if err != nil || state.Version != 3 || state.Trades != 2 || state.Prices["yes"] <= "0.5" || state.Outcomes[0] != "yes" {
		t.Errorf("market = %+v (%v), want version 3 after 2 trades", state, err)
	}
	events, next, err := bo.Tape(ctx, market, "", 10)
	if err != nil || len(events) != 3 || next != state.Cursor || events[1].Trade.Account != "ana" || events[2].Prices["yes"] != state.Prices["yes"] {
		t.Errorf("tape = %+v, next %s (%v), want created and two trades", events, next, err)
	}
	w.Verify(t)
}

func TestRefusalsHaveTheirCode(t *testing.T) {
	t.Parallel()
	w := servertest.New(t, server.Handle)
	ctx, market := t.Context(), w.Market(t)
	ana, nobody := signedIn(t, w, "ana"), client.New(w.URL)
	order := client.Order{Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1"}
	tests := []struct {
		name string
		call func() error
		want string
	}{
		{"a market of another's name", func() error {
			_, err := ana.CreateMarket(ctx, client.NewMarket{Slug: market, Question: "Again?", Liquidity: "1"})
			return err
		}, client.CodeAlreadyExists},
		{"a trade by nobody", func() error {
			_, err := nobody.Trade(ctx, market, order, client.NewKey())
			return err
		}, client.CodeNotSignedIn},
		{"no such market", func() error {
			_, err := ana.Market(ctx, "no such/market")
			return err
		}, client.CodeNotFound},
		{"a cursor of another history", func() error {
			_, _, err := ana.Tape(ctx, market, "1.0123456789abcdef", 10)
			return err
		}, client.CodeCursorUnknown},
		{"more shares than held", func() error {
			_, err := ana.Quote(ctx, market, client.Question{Outcome: "yes", Side: "sell", Shares: "1"})
			return err
		}, client.CodeInsufficientShares},
		{"no key", func() error {
			_, err := ana.Trade(ctx, market, order, "")
			return err
		}, client.CodeInvalidRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.call(); client.CodeOf(err) != tt.want {
				t.Errorf("error = %v, want code %s", err, tt.want)
			}
		})
	}
}

// TestWatchSeesEveryEventOnceThroughCuts cuts the wire again and again while there is trading.
func TestWatchSeesEveryEventOnceThroughCuts(t *testing.T) {
	t.Parallel()
	w := servertest.New(t, server.Handle)
	market := w.Market(t)
	ana := signedIn(t, w, "ana")
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	defer stop()

	const trades, cuts = 60, 3
	events := make(chan client.Frame, 2*trades)
	cutAgain := make(chan struct{}, 1)
	watched := make(chan error, 1)
	joined := make(chan struct{})
	watcher := client.New(w.URL)
	lost := 0
	go func() {
		first := true
		watched <- watcher.Watch(ctx, []client.Subscription{{Market: market}}, func(f client.Frame) {
			switch f.Op {
			case client.OpSnapshot:
				if first {
					close(joined)
				}
				first = false
			case client.OpReconnecting:
				lost++
				select {
				case cutAgain <- struct{}{}:
				default:
				}
			case client.OpEvent:
				events <- f
			}
		})
	}()
	await(ctx, t, joined)
	seen := int64(1)
	seeUpTo := func(seq int64) {
		t.Helper()
		for seen < seq {
			select {
			case f := <-events:
				if f.Seq != seen+1 || f.Prev != seen || f.Trade == nil {
					t.Fatalf("event %+v, want seq %d", f.Event, seen+1)
				}
				seen = f.Seq
			case <-ctx.Done():
				t.Fatalf("event %d did not come", seen+1)
			}
		}
	}
	for i := range trades {
		receipt, err := ana.Trade(ctx, market, client.Order{Outcome: "yes", Side: "buy", Shares: "0.1", MaxCost: "1"}, client.NewKey())
		if err != nil {
			t.Fatal(err)
		}
		if i%(trades/cuts) == trades/cuts/2 {
			seeUpTo(receipt.Version) // the socket is there again
			w.Wire.Cut()
			await(ctx, t, cutAgain)
		}
	}
	seeUpTo(trades + 1)
	state, err := ana.Market(ctx, market)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-watched; err != nil {
		t.Errorf("watch ended with %v", err)
	}
	if state.Version != trades+1 || lost < cuts {
		t.Errorf("version %d after %d cuts, want %d after %d", state.Version, lost, trades+1, cuts)
	}
}

func TestWatchTellsWhatIsNotThere(t *testing.T) {
	t.Parallel()
	w := servertest.New(t, server.Handle)
	var frames []client.Frame
	err := client.New(w.URL).Watch(t.Context(), []client.Subscription{{Market: "nothing"}}, func(f client.Frame) {
		if f.Op == client.OpError {
			frames = append(frames, f)
		}
	})
	if client.CodeOf(err) != client.CodeNotFound || len(frames) != 1 {
		t.Errorf("error = %v after %d error frames, want not_found after 1", err, len(frames))
	}
}

func await(ctx context.Context, t *testing.T, signal <-chan struct{}) {
	t.Helper()
	select {
	case <-signal:
	case <-ctx.Done():
		t.Fatal("waited in vain")
	}
}

func TestAHundredPostsOfOneKeyMakeOneTrade(t *testing.T) {
	t.Parallel()
	w := servertest.New(t, server.Handle)
	market, ana := w.Market(t), signedIn(t, w, "ana")
	order := client.Order{Outcome: "yes", Side: "buy", Shares: "10", MaxCost: "6"}
	receipts := make([]client.Receipt, 100)
	var wait sync.WaitGroup
	for i := range receipts {
		wait.Go(func() {
			var err error
			if receipts[i], err = ana.Trade(t.Context(), market, order, "once"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	fresh := 0
	for _, r := range receipts {
		if !r.Replayed {
			fresh++
		}
		r.Replayed = receipts[0].Replayed
		if r != receipts[0] {
			t.Errorf("receipt %+v, another %+v", r, receipts[0])
		}
	}
	if m, err := ana.Market(t.Context(), market); err != nil || m.Trades != 1 || fresh != 1 {
		t.Errorf("%d trades, %d new receipts, %v, want one", m.Trades, fresh, err)
	}
	w.Verify(t)
}
