package server

import (
	"strconv"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
)

func TestPicturesAreKeptForAWhileAndOnlySoMany(t *testing.T) {
	t.Parallel()
	k, now := newCards(), time.Now()
	for i := range cardsKept + 10 {
		k.kept.Add("m"+strconv.Itoa(i), picture{of: "1.a", at: now})
	}
	if k.kept.Len() != cardsKept {
		t.Errorf("%d pictures are kept, want %d", k.kept.Len(), cardsKept)
	}
	k.kept.Add("m20", picture{of: "2.b", at: now})
	for _, tt := range []struct {
		name, slug, of string
		later          time.Duration
		want           bool
	}{
		{"one that was never drawn", "none", "1.a", 0, false},
		{"the first, which made room", "m0", "1.a", 0, false},
		{"the same cursor, much later", "m30", "1.a", time.Hour, true},
		{"the next cursor at once", "m30", "2.b", cardFresh / 2, true},
		{"the next cursor later", "m30", "2.b", cardFresh, false},
		{"one that was drawn again", "m20", "2.b", time.Hour, true},
	} {
		if _, got := k.find(tt.slug, tt.of, now.Add(tt.later)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestChangesAndFactsOfACardAreInWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from, to db.Decimal
		want     string
		falls    bool
	}{
		{"0.500000000000", "0.611000000000", "11.1 in 24 h", false},
		{"0.611000000000", "0.500000000000", "11.1 in 24 h", true},
		{"0.500000000000", "0.500400000000", "", false},
		{"0.500000000000", "0.499600000000", "", false},
		{"0.000000000000", "1.000000000000", "100.0 in 24 h", false},
		{"", "0.5", "", false},
	} {
		if got, falls := changeWords(tt.from, tt.to); got != tt.want || falls != tt.falls {
			t.Errorf("from %s to %s: %q, falls %v", tt.from, tt.to, got, falls)
		}
	}
	for amount, want := range map[db.Decimal]string{
		"0.000000": "0.00", "999.994000": "999.99", "1240.500000": "1,240", "1234567.000000": "1,234,567", "123456789012.999999": "123,456,789,012",
	} {
		if got := roundCredits(amount); got != want {
			t.Errorf("%s credits are shown as %s, want %s", amount, got, want)
		}
	}
}
