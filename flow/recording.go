package flow

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pgtape/pgtape/db"
)

// Recording is the order flow of some markets between the outcomes yes and no.
type Recording struct {
	Markets []Market
	Trades  []Trade // in order of time
}

// Market is a recorded market.
type Market struct {
	Slug        string
	Question    string
	Description string
	Category    string
	Replicated  *bool // what happened: true resolves to yes; nil is not known
}

// Trade is one recorded move of a market: Shares toward Outcome, whether bought or, by one who
// held the other outcome, sold of that.
type Trade struct {
	Line          int // in the file of trades
	Market        string
	At            time.Time
	Trader        string
	Outcome       string     // yes, no
	Shares        db.Decimal // rounded to 6 decimals
	PriceYesAfter db.Decimal // as recorded; empty if it was not
}

//go:embed replication/markets.csv replication/trades.csv
var replication embed.FS

// Replication is the embedded recording: 40 markets on whether psychology studies would
// replicate, 2,288 trades by 83 researchers, LMSR with b = 100.
func Replication() (*Recording, error) {
	files, err := fs.Sub(replication, "replication")
	if err != nil {
		return nil, err
	}
	return read(files, tradesName)
}

const (
	tradesName  = "trades.csv"
	marketsName = "markets.csv"
)

// Read reads a recording: a file of trades, or a folder with a trades.csv. The markets.csv beside
// it tells what the markets are; without one they are known by their names only.
// Errors name the file and the line.
func Read(path string) (*Recording, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading recording: %w", err)
	}
	if info.IsDir() {
		return read(os.DirFS(path), tradesName)
	}
	return read(os.DirFS(filepath.Dir(path)), filepath.Base(path))
}

func read(files fs.FS, name string) (*Recording, error) {
	trades, err := readTrades(files, name)
	if err != nil {
		return nil, err
	}
	markets, err := readMarkets(files, marketsName)
	if errors.Is(err, fs.ErrNotExist) {
		return &Recording{Markets: namedMarkets(trades), Trades: trades}, nil
	}
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, m := range markets {
		known[m.Slug] = true
	}
	for _, t := range trades {
		if !known[t.Market] {
			return nil, fmt.Errorf("%s:%d: the market %s is not in %s", name, t.Line, t.Market, marketsName)
		}
	}
	return &Recording{Markets: markets, Trades: trades}, nil
}

// namedMarkets makes the markets of trades of which nothing else is known.
func namedMarkets(trades []Trade) []Market {
	var markets []Market
	seen := map[string]bool{}
	for _, t := range trades {
		if !seen[t.Market] {
			seen[t.Market] = true
			markets = append(markets, Market{
				Slug:        t.Market,
				Question:    t.Market + " (recorded order flow)",
				Description: "Made to replay recorded trades. What was asked is not recorded.",
				Category:    "recorded",
			})
		}
	}
	return markets
}
