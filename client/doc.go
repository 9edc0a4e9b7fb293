// Package client speaks to a pgtape server: HTTP calls, and subscriptions that resume.
//
//	c := client.New("http://127.0.0.1:8080")
//	_, err := c.SignIn(ctx, "ana")
//	quote, err := c.Quote(ctx, "rain", client.Question{Outcome: "yes", Side: "buy", Shares: "10"})
//	receipt, err := c.Trade(ctx, "rain", quote.Order(50), client.NewKey())
//	err = c.Watch(ctx, []client.Subscription{{Market: "rain"}}, func(f client.Frame) { … })
//
// Numbers are text, as on the wire: credits and shares with 6 decimals, prices with 12. A float
// cannot hold them all.
//
// What a server refuses is an *Error with a code. After any other error of Trade nobody knows
// whether the trade was made: send it again with the same key, and it is made once.
package client
