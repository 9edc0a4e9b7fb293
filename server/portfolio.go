package server

import (
	"encoding/csv"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server/cache"
)

const (
	historyRows = 50  // on a page
	profitSteps = 100 // of the chart
)

// historyPage is a page of what was booked; Next is null on the last one.
type historyPage struct {
	Entries []db.Entry `json:"entries"`
	Next    *string    `json:"next"`
}

// held is an open position; Profit is what selling it would make of it.
type held struct {
	db.Position
	Profit db.Decimal `json:"profit"`
}

// portfolioPage handles GET /portfolio?range=&cursor=.
func (s *Server) portfolioPage(c echo.Context) error {
	account, err := s.visitor(c)
	if err != nil {
		return err
	}
	state := struct {
		Account   *db.Account      `json:"account"`
		Range     string           `json:"range"`
		Value     db.Decimal       `json:"value"`
		Total     db.Decimal       `json:"total"`
		Profit    db.Decimal       `json:"profit"`
		Plot      *stepPlot        `json:"plot"`
		Points    []db.ProfitPoint `json:"points"`
		Positions []held           `json:"positions"`
		Markets   []db.MarketGain  `json:"gains"`
		Made      []db.MadeMarket  `json:"made"`
		History   historyPage      `json:"history"`
		Later     bool             `json:"later"` // not the newest entries
	}{Account: account}
	if account == nil {
		return render(c, http.StatusOK, "portfolio", state)
	}
	ctx := c.Request().Context()
	since, name, err := rangeOf(c)
	if err != nil {
		return err
	}
	state.Range, state.Later = name, c.QueryParam("cursor") != ""
	history, err := s.historyOf(c, account.Handle, historyRows)
	if err != nil {
		return err
	}
	state.History = history.Value
	if state.Points, err = s.db.ProfitHistory(ctx, account.Ref(), since, profitSteps); err != nil {
		return err
	}
	plot := newStepPlot(state.Points)
	state.Plot, state.Profit = &plot, state.Points[len(state.Points)-1].Profit
	if state.Markets, err = s.gains(ctx, account.Handle); err != nil {
		return err
	}
	if state.Made, err = s.made(ctx, account.Handle); err != nil {
		return err
	}
	positions, err := s.openPositions(c, account.Handle)
	if err != nil {
		return err
	}
	state.Value = "0.000000"
	for _, p := range positions {
		state.Value = sum(state.Value, p.Value)
		state.Positions = append(state.Positions, held{p, less(p.Value, p.Cost)})
	}
	state.Total = sum(account.Balance, state.Value)
	return render(c, http.StatusOK, "portfolio", state)
}

// openPositions are those in markets that have not paid out.
func (s *Server) openPositions(c echo.Context, account string) ([]db.Position, error) {
	all, err := s.positions(c.Request().Context(), account)
	var open []db.Position
	for _, p := range all.Value {
		if p.Status != "resolved" && p.Status != "void" {
			open = append(open, p)
		}
	}
	return open, err
}

func sum(a, b db.Decimal) db.Decimal  { return together(a, b, (*big.Rat).Add) }
func less(a, b db.Decimal) db.Decimal { return together(a, b, (*big.Rat).Sub) }

func together(a, b db.Decimal, how func(z, x, y *big.Rat) *big.Rat) db.Decimal {
	x, y := rat(a), rat(b)
	return db.Decimal(how(x, x, y).FloatString(6))
}

func rat(d db.Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(string(d))
	if !ok {
		return new(big.Rat)
	}
	return r
}

// rangeOf reads how far back a chart goes; nil: to the start.
func rangeOf(c echo.Context) (since *time.Time, name string, err error) {
	var start time.Time
	switch name = c.QueryParam("range"); name {
	case "", "all":
		return nil, "all", nil
	case "1w":
		start = time.Now().AddDate(0, 0, -7)
	case "1m":
		start = time.Now().AddDate(0, -1, 0)
	default:
		return nil, "", db.Errorf(db.InvalidRequest, "range must be 1w, 1m or all")
	}
	return &start, name, nil
}

// getAccountHistory handles GET /api/v1/portfolio/history?cursor=&limit=: what was booked for the
// caller, the newest first.
func (s *Server) getAccountHistory(c echo.Context) error {
	limit, err := whole(c, "limit", 1, 1000, 100)
	if err != nil {
		return err
	}
	page, err := s.historyOf(c, accountOf(c).Handle, limit)
	if err != nil {
		return err
	}
	return answer(c, page, true)
}

func (s *Server) historyOf(c echo.Context, account string, limit int) (page cache.Found[historyPage], err error) {
	var before int64
	if text := c.QueryParam("cursor"); text != "" {
		before, err = strconv.ParseInt(text, 10, 64)
		if err != nil || before < 1 {
			return page, db.Errorf(db.InvalidRequest, "cursor must be next of the page before")
		}
	}
	return s.entries(c.Request().Context(), account, before, limit)
}

// getHistoryCSV handles GET /portfolio/history.csv: all of it, as RFC 4180 has it.
func (s *Server) getHistoryCSV(c echo.Context) error {
	response := c.Response()
	var out *csv.Writer
	begin := func() error {
		response.Header().Set(echo.HeaderContentType, "text/csv; charset=utf-8; header=present")
		response.Header().Set(echo.HeaderContentDisposition, `attachment; filename="pgtape-history.csv"`)
		out = csv.NewWriter(response)
		out.UseCRLF = true
		return out.Write([]string{"transaction", "at", "kind", "market", "question", "outcome", "side", "shares", "amount", "balance"})
	}
	err := s.db.EachEntry(c.Request().Context(), accountOf(c).Ref(), func(e db.Entry) error {
		if out == nil {
			if err := begin(); err != nil {
				return err
			}
		}
		return out.Write([]string{
			strconv.FormatInt(e.TransactionID, 10), e.At.UTC().Format("2006-01-02T15:04:05.000000Z"), e.Kind,
			words(e.Market), words(e.Question), words(e.Outcome), words(e.Side), digits(e.Shares), string(e.Amount), string(e.Balance),
		})
	})
	if err == nil && out == nil {
		err = begin()
	}
	if err == nil {
		out.Flush()
		err = out.Error()
	}
	if err != nil && response.Committed {
		// What has broken off must not look whole: the answer ends without its end.
		_ = http.NewResponseController(response).SetWriteDeadline(time.Now().Add(-time.Second))
		return fmt.Errorf("sending a history: %w", err)
	}
	return err
}

// words is a cell of text. What a spreadsheet would take for a formula is made text.
func words(text *string) string {
	if text == nil {
		return ""
	}
	if first, size := utf8.DecodeRuneInString(*text); size > 0 && strings.ContainsRune("=+-@＝＋－＠\t\r\n", first) {
		return "'" + *text
	}
	return *text
}

func digits(number *db.Decimal) string {
	if number == nil {
		return ""
	}
	return string(*number)
}
