package flow

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	slugForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	handleForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$`)
)

func readTrades(files fs.FS, name string) ([]Trade, error) {
	var trades []Trade
	err := readTable(files, name, columns{
		required: []string{"market", "at", "trader", "outcome", "shares"},
		optional: []string{"cost", "price_yes_after"},
	}, func(line int, field map[string]string) error {
		trade, err := parseTrade(line, field)
		trades = append(trades, trade)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(trades) == 0 {
		return nil, fmt.Errorf("%s: no trades", name)
	}
	// Stable: trades of the same instant stay as they were recorded.
	slices.SortStableFunc(trades, func(a, b Trade) int { return a.At.Compare(b.At) })
	return trades, nil
}

func parseTrade(line int, field map[string]string) (Trade, error) {
	t := Trade{Line: line, Market: field["market"], Trader: field["trader"], Outcome: field["outcome"]}
	if !slugForm.MatchString(t.Market) {
		return t, fmt.Errorf("market %q: want 1 to 64 lower-case letters, digits, - or _", t.Market)
	}
	if !handleForm.MatchString(t.Trader) {
		return t, fmt.Errorf("trader %q: want 1 to 32 letters, digits, _ . or -", t.Trader)
	}
	if t.Outcome != "yes" && t.Outcome != "no" {
		return t, fmt.Errorf("outcome %q: want yes or no", t.Outcome)
	}
	var err error
	if t.At, err = time.Parse(time.RFC3339, field["at"]); err != nil {
		return t, fmt.Errorf("at %q: want a time such as 2012-11-09T10:08:20Z", field["at"])
	}
	if t.Shares, err = roundShares(field["shares"]); err != nil {
		return t, fmt.Errorf("shares %q: %w", field["shares"], err)
	}
	if text := field["cost"]; text != "" {
		if _, err := parseAmount(text); err != nil {
			return t, fmt.Errorf("cost %q: %w", text, err)
		}
	}
	if text := field["price_yes_after"]; text != "" {
		if t.PriceYesAfter, err = parsePrice(text); err != nil {
			return t, fmt.Errorf("price_yes_after %q: %w", text, err)
		}
	}
	return t, nil
}

func readMarkets(files fs.FS, name string) ([]Market, error) {
	var markets []Market
	lines := map[string]int{}
	err := readTable(files, name, columns{
		required: []string{"market"},
		optional: []string{"study", "doi", "question", "replicated"},
	}, func(line int, field map[string]string) error {
		market, err := parseMarket(field)
		if err != nil {
			return err
		}
		if first := lines[market.Slug]; first != 0 {
			return fmt.Errorf("market %s is on line %d too", market.Slug, first)
		}
		lines[market.Slug] = line
		markets = append(markets, market)
		return nil
	})
	return markets, err
}

func parseMarket(field map[string]string) (Market, error) {
	study, doi := strings.Join(strings.Fields(field["study"]), " "), field["doi"]
	m := Market{Slug: field["market"], Category: "recorded"}
	if !slugForm.MatchString(m.Slug) {
		return m, fmt.Errorf("market %q: want 1 to 64 lower-case letters, digits, - or _", m.Slug)
	}
	m.Question = m.Slug + " (recorded order flow)"
	if study != "" {
		m.Category = "replication"
		m.Question = fmt.Sprintf(`Does "%s" replicate?`, study)
		m.Description = "Resolves to yes if the replication finds the main effect of the study again: " +
			"in the same direction, with p < 0.05.\n\nStudy: " + study + "."
	}
	if doi != "" {
		m.Description = strings.TrimSpace(m.Description + "\n" + doi)
	}
	m.Question = cmp.Or(field["question"], m.Question)
	if len([]rune(m.Question)) > 500 {
		return m, errors.New("question: want at most 500 characters")
	}
	switch text := field["replicated"]; text {
	case "":
	case "0", "1":
		replicated := text == "1"
		m.Replicated = &replicated
	default:
		return m, fmt.Errorf("replicated %q: want 1, 0 or nothing", text)
	}
	return m, nil
}

// columns are those that a table must and may have.
type columns struct{ required, optional []string }

// readTable calls row for each row of a CSV file with a header; an error gets file and line.
func readTable(files fs.FS, name string, want columns, row func(line int, field map[string]string) error) error {
	file, err := files.Open(name)
	if err != nil {
		return fmt.Errorf("reading recording: %w", err)
	}
	defer file.Close()
	records := csv.NewReader(withoutMark(file))
	header, err := records.Read()
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s: the file is empty", name)
	case err != nil:
		return tableError(name, err)
	}
	header = slices.Clone(header)
	if err := want.check(header); err != nil {
		return fmt.Errorf("%s:1: %w", name, err)
	}
	for {
		record, err := records.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return tableError(name, err)
		}
		field := map[string]string{}
		for i, column := range header {
			field[column] = strings.TrimSpace(record[i])
		}
		line, _ := records.FieldPos(0)
		if err := row(line, field); err != nil {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
	}
}

func (c columns) check(header []string) error {
	all := slices.Concat(c.required, c.optional)
	seen := map[string]bool{}
	for _, column := range header {
		if !slices.Contains(all, column) {
			return fmt.Errorf("unknown column %q: want %s", column, strings.Join(all, ", "))
		}
		if seen[column] {
			return fmt.Errorf("column %q is there twice", column)
		}
		seen[column] = true
	}
	for _, column := range c.required {
		if !seen[column] {
			return fmt.Errorf("column %q is missing", column)
		}
	}
	return nil
}

func tableError(name string, err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return fmt.Errorf("%s:%d: %w", name, parse.Line, parse.Err)
	}
	return fmt.Errorf("reading %s: %w", name, err)
}

// withoutMark skips the byte order mark that spreadsheets write.
func withoutMark(r io.Reader) io.Reader {
	buffered := bufio.NewReader(r)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		_, _ = buffered.Discard(3) // peeked already: cannot fail
	}
	return buffered
}
