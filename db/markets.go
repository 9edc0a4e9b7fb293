package db

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
)

// Market is what a market is and where it stands. Credits and shares have 6 decimals, prices 12;
// Version is the seq of its last event and Cursor names that event in this history.
type Market struct {
	Slug        string
	Question    string
	Description string
	Category    string
	Status      string // draft, open, halted, closed, proposed, disputed, resolved, void
	Outcomes    []string
	Prices      []Decimal // by outcome, as are Outstanding and the payouts
	Outstanding []Decimal
	Liquidity   Decimal
	Subsidy     Decimal
	Volume      Decimal
	Trades      int64
	Traders     int64
	Version     int64
	Cursor      string
	CreatedAt   time.Time
	CreatedBy   string
	ClosesAt    *time.Time
	UpdatedAt   time.Time
	VoidPayout  []Decimal // what it pays if it is voided
	Proposal    []Decimal // payout that was proposed; nil: none
	Payout      []Decimal // nil until it is resolved
}

// marketJSON is a Market as the wire has it: numbers by the name of their outcome.
type marketJSON struct {
	Slug        string     `json:"slug"`
	Question    string     `json:"question"`
	Description string     `json:"description"`
	Category    string     `json:"category"`
	Status      string     `json:"status"`
	Outcomes    []string   `json:"outcomes"`
	Prices      ByOutcome  `json:"prices"`
	Outstanding ByOutcome  `json:"outstanding"`
	Liquidity   Decimal    `json:"liquidity"`
	Subsidy     Decimal    `json:"subsidy"`
	Volume      Decimal    `json:"volume"`
	Trades      int64      `json:"trades"`
	Traders     int64      `json:"traders"`
	Version     int64      `json:"version"`
	Cursor      string     `json:"cursor"`
	CreatedAt   time.Time  `json:"created_at"`
	CreatedBy   string     `json:"created_by"`
	ClosesAt    *time.Time `json:"closes_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	VoidPayout  ByOutcome  `json:"void_payout"`
	Proposal    ByOutcome  `json:"proposal"`
	Payout      ByOutcome  `json:"payout"`
}

// MarshalJSON writes the market as the wire has it.
func (m Market) MarshalJSON() ([]byte, error) {
	return json.Marshal(marketJSON{
		Slug: m.Slug, Question: m.Question, Description: m.Description, Category: m.Category, Status: m.Status,
		Outcomes: m.Outcomes, Prices: ByOutcome{m.Outcomes, m.Prices}, Outstanding: ByOutcome{m.Outcomes, m.Outstanding},
		Liquidity: m.Liquidity, Subsidy: m.Subsidy, Volume: m.Volume, Trades: m.Trades, Traders: m.Traders,
		Version: m.Version, Cursor: m.Cursor, CreatedAt: m.CreatedAt, CreatedBy: m.CreatedBy, ClosesAt: m.ClosesAt,
		UpdatedAt: m.UpdatedAt, VoidPayout: ByOutcome{m.Outcomes, m.VoidPayout},
		Proposal: ByOutcome{m.Outcomes, m.Proposal}, Payout: ByOutcome{m.Outcomes, m.Payout},
	})
}

// UnmarshalJSON reads the market back.
func (m *Market) UnmarshalJSON(data []byte) error {
	var j marketJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*m = Market{
		Slug: j.Slug, Question: j.Question, Description: j.Description, Category: j.Category, Status: j.Status,
		Outcomes: j.Outcomes, Prices: j.Prices.Numbers, Outstanding: j.Outstanding.Numbers,
		Liquidity: j.Liquidity, Subsidy: j.Subsidy, Volume: j.Volume, Trades: j.Trades, Traders: j.Traders,
		Version: j.Version, Cursor: j.Cursor, CreatedAt: j.CreatedAt, CreatedBy: j.CreatedBy, ClosesAt: j.ClosesAt,
		UpdatedAt: j.UpdatedAt, VoidPayout: j.VoidPayout.Numbers, Proposal: j.Proposal.Numbers, Payout: j.Payout.Numbers,
	}
	return nil
}

const marketColumns = `slug, question, description, category, status, outcomes, prices::text[], outstanding::text[],
	liquidity::text, subsidy::text, volume::text, trades, traders, version, cursor, created_at, created_by,
	closes_at, updated_at, void_payout::text[], proposal::text[], payout::text[]`

// NewMarket declares a market. Empty Outcomes are yes and no, empty Liquidity 100; Account
// funds it: the house by that name, or if it is empty and the login has no account of its own.
// VoidPayout is what a share of each outcome pays if the market is voided; nil: equal parts. A
// Draft does not trade until OpenMarket.
type NewMarket struct {
	Slug        string     `json:"slug"`
	Question    string     `json:"question"`
	Outcomes    []string   `json:"outcomes"`
	Liquidity   Decimal    `json:"liquidity"`
	ClosesAt    *time.Time `json:"closes_at"`
	Description string     `json:"description"`
	Category    string     `json:"category"`
	VoidPayout  []Decimal  `json:"void_payout"`
	Draft       bool       `json:"draft"`
	Account     string     `json:"-"`
}

// CreateMarket opens a market for trading.
// Errors: AlreadyExists, InsufficientFunds, InvalidRequest, NotFound, NotPermitted.
func (d *DB) CreateMarket(ctx context.Context, m NewMarket) (Market, error) {
	return one[Market](ctx, d, `
		select `+marketColumns+` from pgtape.create_market(
			slug => $1, question => $2, outcomes => coalesce($3::text[], '{yes,no}'),
			liquidity => coalesce($4::text::numeric, 100), closes_at => $5, description => $6, category => $7, account => $8,
			void_payout => $9::text[]::numeric[], draft => $10)`,
		m.Slug, m.Question, m.Outcomes, m.Liquidity.arg(), m.ClosesAt, m.Description, m.Category, nullable(m.Account),
		m.VoidPayout, m.Draft)
}

// Market finds a market.
// Errors: NotFound.
func (d *DB) Market(ctx context.Context, slug string) (Market, error) {
	market, err := one[Market](ctx, d, "select "+marketColumns+" from pgtape.markets where slug = $1", slug)
	if errors.Is(err, pgx.ErrNoRows) {
		return market, noMarket(slug)
	}
	return market, err
}

func noMarket(slug string) error {
	return Errorf(NotFound, "there is no market %.70s", Printable(slug))
}

// NameOfMarket gives the slug of a market as it is spelled, for one that somebody typed; empty: there
// is none.
func (d *DB) NameOfMarket(ctx context.Context, slug string) (name string, err error) {
	err = d.pool.QueryRow(ctx, "select coalesce(pgtape.name_of_market($1), '')", slug).Scan(&name)
	return name, refusal(err)
}

// MarketFilter chooses markets to list. Sort is active (the default: last event first), new, volume,
// hot (most traded in the last day) or closing (what closes next first); Cursor is where the page
// before ended. Status open is what trades; closed what waits to be resolved, proposed and disputed
// ones too; the others are meant literally.
type MarketFilter struct {
	Status, Category, Query, Sort, Cursor string
	Limit                                 int
	Hot                                   []HotMarket // what sort hot goes by; nil: read for this page
}

// HotMarket is a market's place among those that were traded most in the last day.
type HotMarket struct {
	Market string
	Volume Decimal // in micros
}

// hotMost is how many markets a ranking by what was traded lately has; all others follow by their slug.
const hotMost = 1000

// HotMarkets ranks markets by what was traded in the last day, which it reads all of: to be kept a while.
func (d *DB) HotMarkets(ctx context.Context) ([]HotMarket, error) {
	return all[HotMarket](as(ctx, reporting), d, `
		select market, trunc(volume * 1000000)::text as volume from pgtape.activity
		where activity.volume > 0 order by activity.volume desc, market desc limit $1`, hotMost)
}

// Markets lists markets, a page at a time; next is empty on the last page.
// Errors: InvalidRequest for a sort or cursor that is none.
func (d *DB) Markets(ctx context.Context, f MarketFilter) (markets []Market, next string, err error) {
	key, slug, err := parsePage(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	if f.Sort == "hot" && f.Hot == nil {
		if f.Hot, err = d.HotMarkets(ctx); err != nil {
			return nil, "", err
		}
	}
	ranking, ranks := make([]string, len(f.Hot)), make([]Decimal, len(f.Hot))
	for i, hot := range f.Hot {
		ranking[i], ranks[i] = hot.Market, hot.Volume
	}
	type row struct {
		Market
		Key string
	}
	rows, err := all[row](ctx, d, `
		select `+marketColumns+`, p.key::text as key
		from pgtape.market_page($1, $2, $3, $4, $5::text::numeric, $6, $7, $8, $9::text[]::numeric[]) p (page_slug, key)
		cross join lateral (select * from pgtape.markets where slug = p.page_slug offset 0) m -- by its slug, one by one
		order by p.key desc, slug desc`,
		f.Status, f.Category, f.Query, cmp.Or(f.Sort, "active"), key, slug, f.Limit+1, ranking, ranks)
	if err != nil {
		return nil, "", err
	}
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		last := rows[len(rows)-1]
		next = formatPage(last.Key, last.Slug)
	}
	markets = make([]Market, len(rows))
	for i, r := range rows {
		markets[i] = r.Market
	}
	return markets, next, nil
}

// Categories lists the categories that markets have, by name.
func (d *DB) Categories(ctx context.Context) ([]string, error) {
	rows, err := all[struct{ Category string }](ctx, d,
		"select category from pgtape.categories order by category")
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.Category
	}
	return names, err
}

func formatPage(key, slug string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(key + " " + slug))
}

var pageForm = regexp.MustCompile(`^(-?[0-9]{1,60}) ([a-z0-9_-]{1,64})$`)

func parsePage(cursor string) (key *string, slug string, err error) {
	if cursor == "" {
		return nil, "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	parts := pageForm.FindStringSubmatch(string(text))
	if err != nil || parts == nil || formatPage(parts[1], parts[2]) != cursor {
		return nil, "", Errorf(InvalidRequest, "cursor is not one of a list of markets")
	}
	return &parts[1], parts[2], nil
}

// Point is the prices of a market at one event.
type Point struct {
	At     time.Time `json:"at"`
	Seq    int64     `json:"seq"`
	Prices []Decimal `json:"prices"`
}

// History gives the prices over time, thinned to about so many points. Nil since and until are
// the market's whole life.
// Errors: NotFound, InvalidRequest.
func (d *DB) History(ctx context.Context, market string, since, until *time.Time, points int) ([]Point, error) {
	return all[Point](ctx, d,
		"select at, seq, prices::text[] from pgtape.history($1, $2, $3, $4)", market, since, until, points)
}

// nullable is a text argument that is null when empty. One of spaces is given, and has to be refused or
// kept as such: an idempotency key that is taken for none trades twice, an account for none is another.
func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}
