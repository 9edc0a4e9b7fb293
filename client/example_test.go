package client_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/pgtape/pgtape/client"
)

// A program that prints the trades of a market, and goes on where it stopped when it is given the
// cursor that it printed last.
func ExampleClient_Watch() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	c := client.New("http://127.0.0.1:8080")
	defer c.Close()
	var cursor string // kept from an earlier run, or empty
	err := c.Watch(ctx, []client.Subscription{{Market: "rain", After: cursor}}, func(f client.Frame) {
		switch f.Op {
		case client.OpSnapshot: // the state to start from, or to start again from
			cursor = f.Cursor
			fmt.Println(f.State.Question, f.State.Prices)
		case client.OpEvent: // every one, once, in order
			cursor = f.Cursor
			if f.Trade != nil {
				fmt.Println(f.Seq, f.Trade.Account, f.Trade.Side, f.Trade.Shares, f.Trade.Outcome, f.Prices)
			}
		case client.OpState:
			if f.Code == client.Stale && !f.At.IsZero() {
				fmt.Println("what is above is from", f.At.Format(time.TimeOnly))
			}
		case client.OpError: // of one market: the others go on
			fmt.Println(f.Market, f.Message)
		}
	})
	fmt.Println("go on from", cursor, err)
}
