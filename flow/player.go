package flow

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pgtape/pgtape/db"
)

// PlayerOptions say how to play; the zero value plays as fast as possible.
type PlayerOptions struct {
	// Speed is recorded seconds per real second; 0 is as fast as possible.
	Speed float64
	// MaxPause bounds the pause between two trades, so that pages keep moving. 0: 2 s.
	MaxPause time.Duration
	// Opening is the balance that traders start with. Empty: 10000.
	Opening db.Decimal
	// Run sets repetitions apart: the trades of one run are made once, however often it is started.
	Run string
	// OnTrade, if there, hears of each recorded trade, one at a time; the player waits for it.
	OnTrade func(Played)
}

// Played is a recorded trade that was carried out, or refused.
type Played struct {
	Trade
	Receipts  []db.Receipt // one, or two if the trader sold all that he held and bought besides
	Repeated  bool         // an earlier start of the run had made it
	Refused   db.Code      // why it was not carried out, or not wholly; empty if it was
	Deviation float64      // of the price of yes from the recorded one; NaN if there is none
}

// Result says what was played.
type Result struct {
	Trades       int             `json:"trades"`        // recorded trades carried out
	Orders       int             `json:"orders"`        // trades made for them
	Repeated     int             `json:"repeated"`      // recorded trades that an earlier start had made
	Refused      map[db.Code]int `json:"refused"`       // recorded trades refused, by why
	Compared     int             `json:"compared"`      // trades with a recorded price
	MaxDeviation float64         `json:"max_deviation"` // greatest |price of yes − recorded price|
	Worst        string          `json:"worst"`         // market and line of the greatest deviation
	Elapsed      time.Duration   `json:"elapsed_ns"`
}

// Player plays a recording through the database's function trade.
type Player struct {
	db        *db.DB
	recording *Recording
	options   PlayerOptions

	mu     sync.Mutex
	result Result
}

// NewPlayer makes a player; d must be allowed to act for all accounts.
func NewPlayer(d *db.DB, r *Recording, o PlayerOptions) *Player {
	if o.MaxPause == 0 {
		o.MaxPause = 2 * time.Second
	}
	if o.Opening == "" {
		o.Opening = "10000"
	}
	return &Player{db: d, recording: r, options: o}
}

// ParseSpeed reads a speed: recorded seconds per real second, or max.
func ParseSpeed(text string) (float64, error) {
	if text == "max" {
		return 0, nil
	}
	speed, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(speed) || math.IsInf(speed, 0) || speed < 0 {
		return 0, fmt.Errorf("speed %q: want recorded seconds per second, or max", text)
	}
	return speed, nil
}

// Prepare makes the markets and the accounts that are not there yet.
// Errors: those of CreateMarket and CreateAccount, but AlreadyExists; a market of the same name
// whose outcomes are not yes and no.
func (p *Player) Prepare(ctx context.Context) error {
	for _, m := range p.recording.Markets {
		if err := p.prepareMarket(ctx, m); err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for _, t := range p.recording.Trades {
		if seen[t.Trader] {
			continue
		}
		seen[t.Trader] = true
		_, err := p.db.CreateAccount(ctx, t.Trader, p.options.Opening)
		if err != nil && db.CodeOf(err) != db.AlreadyExists {
			return fmt.Errorf("creating account %s: %w", t.Trader, err)
		}
	}
	return nil
}

func (p *Player) prepareMarket(ctx context.Context, m Market) error {
	_, err := p.db.CreateMarket(ctx, db.NewMarket{
		Slug: m.Slug, Question: m.Question, Description: m.Description, Category: m.Category, Liquidity: "100",
		Account: "house",
	})
	if db.CodeOf(err) != db.AlreadyExists {
		return wrap(err, "creating market "+m.Slug)
	}
	there, err := p.db.Market(ctx, m.Slug)
	if err == nil && !slices.Equal(there.Outcomes, []string{"yes", "no"}) {
		err = db.Errorf(db.AlreadyExists, "it is there with the outcomes %v, not yes and no", there.Outcomes)
	}
	return wrap(err, "preparing market "+m.Slug)
}

func wrap(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Play prepares and plays the recording to its end, or until ctx ends: with a speed, all trades in
// the order of time; without, each market's in their order, several markets at a time. Trades that
// an earlier start of the run has made are passed over without a pause. A trade that is refused,
// since somebody else has changed the market or the account, is counted and left out.
// Errors: why ctx ended; those of Prepare; IdempotencyMismatch if the run was begun with another recording;
// Unavailable. Played again, it goes on where it stopped.
func (p *Player) Play(ctx context.Context) (Result, error) {
	begin := time.Now()
	p.result = Result{Refused: map[db.Code]int{}}
	err := p.Prepare(ctx)
	if err == nil {
		steps := plan(p.recording, p.options.Run)
		if p.options.Speed == 0 {
			err = p.race(ctx, steps)
		} else {
			err = p.pace(ctx, steps)
		}
	}
	if ctx.Err() != nil {
		err = ctx.Err() // whatever it looked like to the statement under way
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.result.Elapsed = time.Since(begin)
	return p.result, err
}

// concurrentMarkets bounds the connections that a replay at full speed takes.
const concurrentMarkets = 4

func (p *Player) race(ctx context.Context, steps []step) error {
	markets := map[string][]step{}
	for _, s := range steps {
		markets[s.trade.Market] = append(markets[s.trade.Market], s)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrentMarkets)
	for _, m := range p.recording.Markets {
		group.Go(func() error {
			for _, s := range markets[m.Slug] {
				if _, err := p.play(ctx, s); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func (p *Player) pace(ctx context.Context, steps []step) error {
	due := time.Now()
	for i, s := range steps {
		played, err := p.play(ctx, s)
		if err != nil {
			return err
		}
		if played.Repeated || i+1 == len(steps) {
			continue
		}
		recorded := steps[i+1].trade.At.Sub(s.trade.At).Seconds()
		pause := time.Duration(min(recorded/p.options.Speed, p.options.MaxPause.Seconds()) * float64(time.Second))
		due = due.Add(pause)
		if late := time.Since(due); late > p.options.MaxPause {
			due = time.Now() // after a standstill: go on, do not rush
		}
		if err := waitUntil(ctx, due); err != nil {
			return err
		}
	}
	return nil
}

func waitUntil(ctx context.Context, due time.Time) error {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return ctx.Err()
	}
}

// play carries out one recorded trade.
func (p *Player) play(ctx context.Context, s step) (Played, error) {
	played := Played{Trade: s.trade, Repeated: true, Deviation: math.NaN()}
	for _, order := range s.orders {
		receipt, err := p.db.Trade(ctx, order)
		switch code := db.CodeOf(err); code {
		case "":
			played.Receipts = append(played.Receipts, receipt)
			played.Repeated = played.Repeated && receipt.Replayed
			continue
		case db.MarketNotOpen, db.InsufficientFunds, db.InsufficientShares:
			played.Refused, played.Repeated = code, false
		default:
			return played, fmt.Errorf("line %d, %s in market %s: %w", s.trade.Line, s.trade.Trader, s.trade.Market, err)
		}
		break
	}
	if played.Refused == "" && s.trade.PriceYesAfter != "" {
		played.Deviation = math.Abs(priceOfYes(played.Receipts) - float(s.trade.PriceYesAfter))
	}
	p.count(played)
	return played, nil
}

func priceOfYes(receipts []db.Receipt) float64 {
	last := receipts[len(receipts)-1]
	if last.Outcome == "yes" {
		return float(last.PriceAfter)
	}
	return 1 - float(last.PriceAfter)
}

// float is for comparing and showing prices; none here decides a charge.
func float(d db.Decimal) float64 {
	f, err := strconv.ParseFloat(string(d), 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

func (p *Player) count(played Played) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &p.result
	switch {
	case played.Refused != "":
		r.Refused[played.Refused]++
	default:
		r.Trades++
	}
	if played.Repeated {
		r.Repeated++
	} else {
		r.Orders += len(played.Receipts)
	}
	if !math.IsNaN(played.Deviation) {
		r.Compared++
		if r.Worst == "" || played.Deviation > r.MaxDeviation {
			r.MaxDeviation = played.Deviation
			r.Worst = fmt.Sprintf("%s, line %d", played.Market, played.Line)
		}
	}
	if p.options.OnTrade != nil {
		p.options.OnTrade(played)
	}
}
