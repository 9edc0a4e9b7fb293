package flow

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/pgtape/pgtape/db"
)

const header = "market,at,trader,outcome,shares\n"

// writeFiles makes a folder of files: name, text, name, text …
func writeFiles(t *testing.T, namesAndTexts ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(namesAndTexts); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, namesAndTexts[i]), []byte(namesAndTexts[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadTellsWhatIsWrongAndWhere(t *testing.T) {
	t.Parallel()
	row := func(shares string) string { return header + "rain,2012-11-09T10:08:20Z,ana,yes," + shares + "\n" }
	tests := []struct{ name, trades, want string }{
		{"an empty file", "", "t.csv: the file is empty"},
		{"only a header", header, "t.csv: no trades"},
		{"an unknown column", "market,at,trader,outcome,shares,colour\n", `t.csv:1: unknown column "colour": want market, at, trader, outcome, shares, cost, price_yes_after`},
		{"a column twice", "market,at,at,trader,outcome,shares\n", `t.csv:1: column "at" is there twice`},
		{"a missing column", "market,at,trader,outcome\n", `t.csv:1: column "shares" is missing`},
		{"a short row", header + "rain,2012-11-09T10:08:20Z,ana,yes\n", "t.csv:2: wrong number of fields"},
		{"an open quote", header + "rain,2012-11-09T10:08:20Z,\"ana,yes,1\n", "t.csv:2: extraneous or missing \" in quoted-field"},
		{"NaN", row("NaN"), `t.csv:2: shares "NaN": want a number that is not negative, below a billion`},
		{"infinity", row("inf"), `t.csv:2: shares "inf": want a number that is not negative, below a billion`},
		{"a negative number", row("-3"), `t.csv:2: shares "-3": want a number that is not negative, below a billion`},
		{"a huge exponent", row("1e400"), `t.csv:2: shares "1e400": want a number that is not negative, below a billion`},
		{"a large exponent", row("1e9"), `t.csv:2: shares "1e9": want a number that is not negative, below a billion`},
		{"a fraction", row("1/3"), `t.csv:2: shares "1/3": want a number that is not negative, below a billion`},
		{"no shares", row(""), `t.csv:2: shares "": want a number that is not negative, below a billion`},
		{"less than a micro-share", row("0.0000004"), `t.csv:2: shares "0.0000004": want at least 0.000001`},
		{"another outcome", header + "rain,2012-11-09T10:08:20Z,ana,maybe,1\n", `t.csv:2: outcome "maybe": want yes or no`},
		{"a time without zone", header + "rain,2012-11-09 10:08,ana,yes,1\n", `t.csv:2: at "2012-11-09 10:08": want a time such as 2012-11-09T10:08:20Z`},
		{"a bad market", header + "Rain!,2012-11-09T10:08:20Z,ana,yes,1\n", `t.csv:2: market "Rain!": want 1 to 64 lower-case letters, digits, - or _`},
		{"a bad trader", header + "rain,2012-11-09T10:08:20Z,a b,yes,1\n", `t.csv:2: trader "a b": want 1 to 32 letters, digits, _ . or -`},
		{"the right line after a blank one", row("1") + "\nrain,2012-11-09T10:08:20Z,ana,yes,x\n", `t.csv:4: shares "x": want a number that is not negative, below a billion`},
		{
			"a price above 1",
			"market,at,trader,outcome,shares,price_yes_after\nrain,2012-11-09T10:08:20Z,ana,yes,1,1.2\n",
			`t.csv:2: price_yes_after "1.2": want a price from 0 to 1`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(filepath.Join(writeFiles(t, "t.csv", tt.trades), "t.csv"))
			if err == nil || err.Error() != tt.want {
				t.Errorf("error = %v\n want %s", err, tt.want)
			}
		})
	}
}

func TestReadMarketsTellsWhatIsWrongAndWhere(t *testing.T) {
	t.Parallel()
	trades := header + "rain,2012-11-09T10:08:20Z,ana,yes,1\n"
	tests := []struct{ name, markets, want string }{
		{"a trade of a market that is not there", "market\nsnow\n", "trades.csv:2: the market rain is not in markets.csv"},
		{"a market twice", "market\nrain\nrain\n", "markets.csv:3: market rain is on line 2 too"},
		{"half an outcome", "market,replicated\nrain,0.5\n", `markets.csv:2: replicated "0.5": want 1, 0 or nothing`},
		{"an unknown column", "market,liquidity\nrain,5\n", `markets.csv:1: unknown column "liquidity": want market, study, doi, question, replicated`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(writeFiles(t, "trades.csv", trades, "markets.csv", tt.markets))
			if err == nil || err.Error() != tt.want {
				t.Errorf("error = %v\n want %s", err, tt.want)
			}
		})
	}
}

func TestReadSortsByTimeAndMakesMarketsFromNames(t *testing.T) {
	t.Parallel()
	r, err := Read(writeFiles(t, "trades.csv", "\xef\xbb\xbf"+header+
		"snow,2012-11-09T12:00:00+01:00,bo,no,2\nrain,2012-11-09T10:00:00Z,ana,yes,1e-3\nsnow,2012-11-09T11:00:00Z,ana,no,0.0000005\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []db.Decimal
	for _, trade := range r.Trades {
		got = append(got, trade.Shares)
	}
	if len(got) != 3 || got[0] != "0.001000" || got[1] != "2.000000" || got[2] != "0.000001" {
		t.Errorf("shares in order of time = %v, want 0.001000 2.000000 0.000001", got)
	}
	if len(r.Markets) != 2 || r.Markets[0].Slug != "rain" || r.Markets[0].Replicated != nil {
		t.Errorf("markets = %+v, want rain and snow, of unknown outcome", r.Markets)
	}
}

func TestReadSaysThatAFileIsNotThere(t *testing.T) {
	t.Parallel()
	if _, err := Read(filepath.Join(t.TempDir(), "none.csv")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error = %v, want one of a file that does not exist", err)
	}
}

func TestSharesAreRoundedExactly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]db.Decimal{
		"19.0902828926":                  "19.090283",
		"2":                              "2.000000",
		"0.0000005":                      "0.000001",
		"999999999.9999994":              "999999999.999999",
		"1.0000004999999999999999999999": "1.000000", // as a float it would be 1.0000005
	} {
		if got, err := roundShares(text); got != want || err != nil {
			t.Errorf("roundShares(%s) = %s, %v; want %s", text, got, err, want)
		}
	}
	if got := microsOf("999999999.999999").decimal(); got != "999999999.999999" {
		t.Errorf("micros change %s", got)
	}
}
