package server

import (
	"cmp"
	"math/big"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

const topHeld = 20 // positions on a profile

// record is how good forecasts were; scores are null where there were none.
type record struct {
	Forecasts db.Decimal  `json:"forecasts"`
	Brier     *db.Decimal `json:"brier"`
	Even      *db.Decimal `json:"even"` // had every price been 50 %
	Base      *db.Decimal `json:"base"` // had every price been how often yes happened
	Tenths    []tenth     `json:"tenths"`

	Several      db.Decimal  `json:"several"` // markets of more than two outcomes
	SeveralBrier *db.Decimal `json:"several_brier"`
	SeveralEven  *db.Decimal `json:"several_even"`
}

// tenth is how often it happened where the price was within a tenth.
type tenth struct {
	From      int        `json:"from"` // percent
	To        int        `json:"to"`
	Forecasts db.Decimal `json:"forecasts"`
	Price     db.Decimal `json:"price"`
	Frequency db.Decimal `json:"frequency"`
	Low       db.Decimal `json:"low"`
	High      db.Decimal `json:"high"`
	Mark      mark       `json:"mark"`
}

// calibrationPage handles GET /calibration?at=: how good the site's prices were.
func (s *Server) calibrationPage(c echo.Context) error {
	account, err := s.visitor(c)
	if err != nil {
		return err
	}
	at := cmp.Or(c.QueryParam("at"), "last")
	if !slices.Contains([]string{"last", "hour", "day"}, at) {
		return db.Errorf(db.InvalidRequest, "at must be last, hour or day")
	}
	tallies, err := s.siteRecord(c.Request().Context())
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, "calibration", struct {
		Account *db.Account `json:"account"`
		At      string      `json:"at"`
		Record  record      `json:"record"`
	}{account, at, newRecord(tallies, at)})
}

// profilePage handles GET /u/{handle}: what everybody may know of somebody. The tape is public, so
// what somebody holds is too.
func (s *Server) profilePage(c echo.Context) error {
	account, err := s.visitor(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	profile, err := s.db.Profile(ctx, c.Param("handle"))
	if err != nil {
		return err
	}
	tallies, err := s.accountRecord(ctx, profile.Handle)
	if err != nil {
		return err
	}
	made, err := s.made(ctx, profile.Handle)
	if err != nil {
		return err
	}
	positions, err := s.openPositions(c, profile.Handle)
	if err != nil {
		return err
	}
	slices.SortStableFunc(positions, func(a, b db.Position) int { return rat(b.Value).Cmp(rat(a.Value)) })
	return render(c, http.StatusOK, "profile", struct {
		Account   *db.Account     `json:"account"`
		Profile   db.Profile      `json:"profile"`
		Record    record          `json:"record"`
		Positions []db.Position   `json:"positions"`
		Made      []db.MadeMarket `json:"made"`
	}{account, profile, newRecord(tallies, ""), positions[:min(topHeld, len(positions))], made[:min(topHeld, len(made))]})
}

// newRecord divides what was summed up at one horizon.
func newRecord(tallies []db.Tally, horizon string) record {
	r := record{Forecasts: "0", Several: "0", Tenths: []tenth{}}
	var n, outcomes, squares, errors, even big.Rat
	for _, t := range tallies {
		switch {
		case t.Horizon != horizon:
		case t.Several:
			r.Several, r.SeveralBrier, r.SeveralEven = t.Forecasts, ratio(rat(t.ErrorSum), rat(t.Forecasts)), ratio(rat(t.EvenErrorSum), rat(t.Forecasts))
		default:
			n.Add(&n, rat(t.Forecasts))
			outcomes.Add(&outcomes, rat(*t.OutcomeSum))
			squares.Add(&squares, rat(*t.OutcomeSquares))
			errors.Add(&errors, rat(t.ErrorSum))
			even.Add(&even, rat(t.EvenErrorSum))
			r.Tenths = append(r.Tenths, newTenth(t))
		}
	}
	if n.Sign() == 0 {
		return r
	}
	r.Forecasts = db.Decimal(n.FloatString(0))
	r.Brier, r.Even = ratio(&errors, &n), ratio(&even, &n)
	// The mean square of what is left when each is said to be as frequent as all together.
	base := new(big.Rat).Mul(&outcomes, &outcomes)
	base.Sub(&squares, base.Quo(base, &n))
	r.Base = ratio(base, &n)
	return r
}

func newTenth(t db.Tally) tenth {
	price, frequency := *ratio(rat(*t.PriceSum), rat(t.Forecasts)), *ratio(rat(*t.OutcomeSum), rat(t.Forecasts))
	n := float(t.Forecasts)
	low, high := wilson(float(frequency), n)
	return tenth{
		From: *t.Bucket * 10, To: *t.Bucket*10 + 10, Forecasts: db.Decimal(rat(t.Forecasts).FloatString(1)), Price: price, Frequency: frequency,
		Low: share(low), High: share(high), Mark: newMark(float(price), float(frequency), low, high, n),
	}
}

func share(f float64) db.Decimal { return db.Decimal(new(big.Rat).SetFloat64(f).FloatString(4)) }

func ratio(a, b *big.Rat) *db.Decimal {
	d := db.Decimal(new(big.Rat).Quo(a, b).FloatString(4))
	return &d
}
