package audit

import (
	"maps"
	"slices"
	"time"
)

// movement is credits that an account got at a time, or gave, if negative. The account was locked
// then, so in the order of time they are in the order they were made.
type movement struct {
	at     int64 // microseconds
	amount int64
	short  bool // moves nothing: the account has given all it had
}

func movementOf(e Event, amount int64) movement {
	return movement{at: e.At.UnixMicro(), amount: amount}
}

// checkTimelines follows each account through all markets: it never had less than nothing, and
// what it could not give back in a correction it did not have. A clock that was set back takes the
// order away that this needs.
func (b *Book) checkTimelines() {
	for _, m := range b.markets {
		b.stats.ClockSetBack = b.stats.ClockSetBack || m.clockSetBack
	}
	if b.stats.ClockSetBack {
		return
	}
	parts := map[string][][]movement{}
	for handle, a := range b.house.accounts {
		parts[handle] = append(parts[handle], a.movements)
	}
	for _, m := range b.markets {
		for handle, h := range m.holders {
			parts[handle] = append(parts[handle], h.movements)
		}
	}
	var all []movement
	for _, handle := range slices.Sorted(maps.Keys(parts)) {
		all = all[:0]
		for _, part := range parts[handle] {
			all = append(all, part...)
		}
		b.checkTimeline(handle, all)
	}
}

func (b *Book) checkTimeline(handle string, movements []movement) {
	slices.SortStableFunc(movements, func(x, y movement) int {
		switch {
		case x.at != y.at:
			return order(x.at < y.at)
		case x.short != y.short:
			return order(y.short)
		case x.amount != y.amount:
			return order(x.amount > y.amount)
		}
		return 0
	})
	var balance total
	lowest, when := total{}, int64(0)
	for _, m := range movements {
		balance = balance.plus(totalOf(m.amount))
		if balance.less(lowest) {
			lowest, when = balance, m.at
		}
		if m.short && balance != (total{}) {
			b.report(shortFollows, "account "+handle, "short at "+timeText(m.at)+", with "+balance.String()+" left")
		}
	}
	if lowest.negative() {
		b.report("no negative balance", "account "+handle, "balance "+lowest.String()+" at "+timeText(when))
	}
}

func order(before bool) int {
	if before {
		return -1
	}
	return 1
}

func timeText(microseconds int64) string {
	return time.UnixMicro(microseconds).UTC().Format(headsTime)
}
