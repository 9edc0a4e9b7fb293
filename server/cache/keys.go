package cache

import (
	"strings"

	"github.com/pgtape/pgtape/db/tape"
)

// Key names something that queries depend on and events change.
type Key string

// The keys that are not one market's or account's.
const (
	Markets Key = "markets" // anything in any market
	Moves   Key = "moves"   // the life of any market, all but trades and talk: made, opened, … resolved
	House   Key = "house"   // accounts and grants
)

// Market is anything that happens in a market.
func Market(slug string) Key { return Key("market:" + slug) }

// Account is what an account does, or is granted. What a market pays is a move.
func Account(handle string) Key { return Key("account:" + strings.ToLower(handle)) }

// keysOf are what an event changes; nil is everything: it cannot be read.
func keysOf(e tape.Event) []Key {
	if e.Market == "house" {
		_, text, ok := strings.Cut(e.Body, `:{"`) // {"account":{"handle":"ana",… or {"grant":{"account":"ana",…
		_, text, named := strings.Cut(text, `":"`)
		handle, _, ends := strings.Cut(text, `"`)
		if !ok || !named || !ends {
			return nil
		}
		return []Key{House, Account(handle)}
	}
	keys := []Key{Market(e.Market), Markets}
	switch e.Kind {
	case "trade":
		handle, ok := trader(e.Body)
		if !ok {
			return nil
		}
		return append(keys, Account(handle))
	case "commented", "comment_removed":
		return keys
	}
	return append(keys, Moves)
}

// trader reads whose trade it is: {"trade":{"id":7,"account":"ana",… No handle needs escapes.
func trader(body string) (handle string, ok bool) {
	rest, ok := strings.CutPrefix(body, `{"trade":{"id":`)
	if !ok {
		return "", false
	}
	rest, ok = strings.CutPrefix(strings.TrimLeft(rest, "0123456789"), `,"account":"`)
	if !ok {
		return "", false
	}
	handle, _, ok = strings.Cut(rest, `"`)
	return handle, ok && handle != "" && !strings.Contains(handle, `\`)
}
