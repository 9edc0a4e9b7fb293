package main

import (
	"fmt"
	"math"
	"net/netip"
	"strings"

	"github.com/spf13/pflag"

	"github.com/pgtape/pgtape/server"
)

// doorFlags say how much one client may ask for, and who is believed to speak for others.
type doorFlags struct {
	limits        server.Limits
	subscriptions int
	none          bool
	trusted       []string
	proxies       []netip.Prefix // parsed by check
}

func (f *doorFlags) add(flags *pflag.FlagSet) {
	l := server.DefaultLimits()
	flags.Float64Var(&f.limits.Trades, "rate-trades", l.Trades, "trades per second of one client; 0, here and below: no limit. All clients of an address together have ten times as much")
	flags.Float64Var(&f.limits.Quotes, "rate-quotes", l.Quotes, "quotes per second of one client")
	flags.Float64Var(&f.limits.Requests, "rate-requests", l.Requests, "other requests per second of one client")
	flags.Float64Var(&f.limits.Opens, "rate-sockets", l.Opens, "sockets and streams that one client opens per second")
	flags.IntVar(&f.limits.SignIns, "rate-sign-ins", l.SignIns, "attempts to sign in per minute as one handle; ten times as many from one address")
	flags.Float64Var(&f.limits.Messages, "rate-messages", l.Messages, "messages per second that a client sends on one socket, over some time")
	flags.IntVar(&f.limits.Sockets, "max-client-sockets", l.Sockets, "open sockets and streams of one client")
	flags.IntVar(&f.limits.AllSockets, "max-sockets", l.AllSockets, "open sockets and streams of all")
	flags.IntVar(&f.subscriptions, "max-subscriptions", 1000, "markets that one socket follows")
	flags.BoolVar(&f.none, "no-limits", false, "for a benchmark: as if all of these were 0")
	flags.StringSliceVar(&f.trusted, "trusted-proxies", nil, "networks (10.0.0.0/8, …) or addresses of proxies, whose X-Forwarded-For tells who a client is")
}

// check tells what is wrong with the flags.
func (f *doorFlags) check() error {
	l := f.limits
	for name, limit := range map[string]float64{
		"rate-trades": l.Trades, "rate-quotes": l.Quotes, "rate-requests": l.Requests, "rate-sockets": l.Opens,
		"rate-sign-ins": float64(l.SignIns), "rate-messages": l.Messages, "max-client-sockets": float64(l.Sockets), "max-sockets": float64(l.AllSockets),
	} {
		if !(limit >= 0) || math.IsInf(limit, 0) {
			return fmt.Errorf("--%s %v: want 0 (no limit) or more", name, limit)
		}
	}
	if f.subscriptions < 0 {
		return fmt.Errorf("--max-subscriptions %d: want 1 or more", f.subscriptions)
	}
	f.proxies = nil
	for _, text := range f.trusted {
		network, err := parseNetwork(text)
		if err != nil {
			return fmt.Errorf("--trusted-proxies %q: want an address or a network such as 10.0.0.0/8", text)
		}
		f.proxies = append(f.proxies, network)
	}
	return nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	text = strings.TrimSpace(text)
	if address, err := netip.ParseAddr(text); err == nil {
		return address.WithZone("").Prefix(address.BitLen())
	}
	return netip.ParsePrefix(text)
}

// apply sets what a server is made with.
func (f *doorFlags) apply(c *server.Config) {
	c.Proxies = f.proxies
	if !f.none {
		c.Limits = f.limits
		c.Hub.MaxSubscriptions = f.subscriptions
	}
}
