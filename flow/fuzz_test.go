package flow

import (
	"strings"
	"testing"
	"testing/fstest"
)

// FuzzRead: a recording is read whole, or refused by the file and line that is wrong.
func FuzzRead(f *testing.F) {
	const header = "market,at,trader,outcome,shares,cost,price_yes_after\n"
	const row = "rain,2012-11-09T10:08:20Z,ana,yes,10,5.2,0.52\n"
	const markets = "market,study,doi,question,replicated\n"
	for _, seed := range []struct{ trades, markets string }{
		{"", ""},
		{header, ""},
		{header + row, ""},
		{"\xef\xbb\xbf" + header + row, markets + `rain,"On ""rain""",10.1/2,Will it rain?,1` + "\n"},
		{header + row, markets + "sun,,,,0\n"},
		{header + row, markets + "rain,,,,2\n"},
		{header + "rain,2012-11-09T10:08:20Z,ana,yes,1e9,,\n", ""},
		{header + "rain,2012-11-09T10:08:20Z,ana,yes,1e-99,,\n", ""},
		{header + "rain,2012-11-09T10:08:20Z,ana,yes,999999999.9999999,1e99,1.0000001\n", ""},
		{header + "../rain,2012,ana'; drop table trade; --,maybe,NaN,-1,2\n", ""},
		{strings.ReplaceAll(header+row, "\n", "\r\n"), ""},
		{header + `"rain`, ""},
		{"market,market,at,trader,outcome,shares\n" + row, ""},
		{header + "rain,2012-11-09T10:08:20Z\n", ""},
	} {
		f.Add(seed.trades, seed.markets)
	}
	f.Fuzz(func(t *testing.T, trades, markets string) {
		files := fstest.MapFS{tradesName: {Data: []byte(trades)}}
		if markets != "" {
			files[marketsName] = &fstest.MapFile{Data: []byte(markets)}
		}
		recording, err := read(files, tradesName)
		if err != nil {
			if !strings.Contains(err.Error(), tradesName) && !strings.Contains(err.Error(), marketsName) {
				t.Errorf("refused without a file: %v", err)
			}
			return
		}
		if len(recording.Trades) == 0 || len(recording.Markets) == 0 {
			t.Fatalf("read: %+v", recording)
		}
		for i, trade := range recording.Trades {
			if microsOf(trade.Shares) < 1 || microsOf(trade.Shares) > 1e15 || !slugForm.MatchString(trade.Market) || !handleForm.MatchString(trade.Trader) {
				t.Errorf("taken: %+v", trade)
			}
			if i > 0 && trade.At.Before(recording.Trades[i-1].At) {
				t.Errorf("out of order: %+v", trade)
			}
		}
	})
}
