package db_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

func comment(t *testing.T, d *dbtest.DB, account, market, body string) db.Comment {
	t.Helper()
	c, err := d.Comment(t.Context(), db.NewComment{Market: market, Body: body, Account: account})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantCode(t *testing.T, what string, err error, want db.Code) {
	t.Helper()
	if got := db.CodeOf(err); got != want {
		t.Errorf("%s: %q, want %q (%v)", what, got, want, err)
	}
}

func TestComment(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "10"), d.Market(t)
	long := strings.Repeat("ü", 2000)
	tests := []struct {
		name string
		c    db.NewComment
		want db.Code // empty: it is made
	}{
		{"says something", db.NewComment{Market: market, Body: " so it *is*\n", Account: ana}, ""},
		{"says as much as one may", db.NewComment{Market: market, Body: long, Account: ana}, ""},
		{"refuses more", db.NewComment{Market: market, Body: long + "x", Account: ana}, db.InvalidRequest},
		{"refuses nothing", db.NewComment{Market: market, Body: " \r\n\t ", Account: ana}, db.InvalidRequest},
		{"refuses an unknown market", db.NewComment{Market: "none", Body: "so", Account: ana}, db.NotFound},
		{"refuses the tape of the house", db.NewComment{Market: "house", Body: "so", Account: ana}, db.NotFound},
		{"refuses an unknown account", db.NewComment{Market: market, Body: "so", Account: "nobody"}, db.NotFound},
		{"refuses a caller without an account", db.NewComment{Market: market, Body: "so"}, db.NotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := d.Comment(t.Context(), tt.c)
			wantCode(t, "comment", err, tt.want)
			d.Verify(t)
		})
	}
	list, err := d.Comments(t.Context(), market, 0, 10)
	if err != nil || len(list) != 2 || list[0].Body != long || list[1].Body != "so it *is*" || list[1].Seq != 2 {
		t.Errorf("comments %+v, %v", list, err)
	}
	if list, err := d.Comments(t.Context(), market, list[0].ID, 10); err != nil || len(list) != 1 {
		t.Errorf("before the newest: %+v, %v", list, err)
	}
	events, err := d.TapeLatest(t.Context(), market, 1)
	if err != nil || events[0].Kind != "commented" || strings.Contains(events[0].Body, "ü") {
		t.Errorf("the tape says %+v, %v", events, err)
	}
}

func TestACommentIsMadeOnceAKey(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo, market, other := d.Account(t, "10"), d.Account(t, "10"), d.Market(t), d.Market(t)
	say := func(account, market, body string) (db.Comment, error) {
		return d.Comment(t.Context(), db.NewComment{Market: market, Body: body, Account: account, IdempotencyKey: "k"})
	}
	first, err := say(ana, market, "so")
	wantCode(t, "first", err, "")
	again, err := say(ana, market, " so ")
	if err != nil || again != first {
		t.Errorf("again: %+v, %v, want %+v", again, err, first)
	}
	_, err = say(ana, market, "no")
	wantCode(t, "other words", err, db.IdempotencyMismatch)
	_, err = say(ana, other, "so")
	wantCode(t, "another market", err, db.IdempotencyMismatch)
	_, err = say(bo, market, "so")
	wantCode(t, "another account", err, "")
	if v, err := d.Version(t.Context(), market); err != nil || v != 3 {
		t.Errorf("version %d, %v", v, err)
	}
	d.Verify(t)
}

func TestWhoRemovesAComment(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	server := d.AsServer(t)
	ana, bo, op, market := d.Account(t, "10"), d.Account(t, "10"), d.Account(t, "10"), d.Market(t)
	_, err := d.SetRole(t.Context(), op, db.Operator, "")
	wantCode(t, "role", err, "")
	signedIn := d.Proof(t, op)
	tests := []struct {
		name, account, reason string
		want                  db.Code
	}{
		{"its author, without a reason", ana, "", ""},
		{"not another trader", bo, "I do not like it", db.NotPermitted},
		{"an operator with a reason", op, "spam", ""},
		{"no operator without one", op, " ", db.InvalidRequest},
		{"nobody unknown", "nobody", "spam", db.NotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := comment(t, d, ana, market, "secret @"+bo)
			ctx := t.Context()
			if tt.account == op {
				ctx = signedIn
			}
			wantCode(t, "remove", server.RemoveComment(ctx, c.ID, tt.reason, tt.account), tt.want)
			list, err := d.Comments(t.Context(), market, 0, 100)
			if err != nil || strings.Contains(fmt.Sprint(list), fmt.Sprintf("{%d ", c.ID)) != (tt.want != "") {
				t.Errorf("comments %v, %v", list, err)
			}
			if tt.want == "" {
				wantCode(t, "again", server.RemoveComment(signedIn, c.ID, "twice", op), db.NotFound)
			}
			d.Verify(t)
		})
	}
	log, err := d.Audit(t.Context(), 0, 10)
	if err != nil || log[0].Act != "comment_removed" || log[0].Actor != op || !strings.Contains(string(log[0].Detail), "spam") {
		t.Errorf("audit log %+v, %v", log, err)
	}
	if told := notifications(t, d, bo); len(told) != 3 {
		t.Errorf("of removed comments nobody is told: %+v", told)
	}
}

func TestAMarketThatHasEndedIsStillTalkedAbout(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "10"), d.Market(t)
	_, err := d.ResolveMarket(t.Context(), market, []db.Decimal{"1", "0"}, "it rained")
	wantCode(t, "resolve", err, "")
	c := comment(t, d, ana, market, "as I said")
	wantCode(t, "remove", d.RemoveComment(t.Context(), c.ID, "", ana), "")
	_, err = d.CorrectResolution(t.Context(), market, []db.Decimal{"0", "1"}, "it did not")
	wantCode(t, "correct", err, "")
	d.Verify(t)
	events, err := d.Timeline(t.Context(), market)
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	if err != nil || strings.Join(kinds, " ") != "created resolved corrected" {
		t.Errorf("timeline %v, %v", kinds, err)
	}
}

// Talk and trades at once: every event has its place, and the market is open all the while.
func TestPeopleTalkWhileOthersTrade(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	market, ana := d.Market(t), d.Account(t, "10")
	d.Exec(t, "select pgtape.set_setting('comments_per_minute', '1000')")
	const each = 15
	var tasks sync.WaitGroup
	for range 3 {
		trader := d.Account(t, "1000")
		tasks.Go(func() {
			for range each {
				if _, err := d.Trade(t.Context(), db.Order{Account: trader, Market: market, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1"}); err != nil {
					t.Error(err)
				}
			}
		})
		tasks.Go(func() {
			for i := range each {
				c, err := d.Comment(t.Context(), db.NewComment{Market: market, Body: "so @" + trader, Account: ana})
				if err == nil && i%3 == 0 {
					err = d.RemoveComment(t.Context(), c.ID, "", ana)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	tasks.Wait()
	d.Verify(t)
	if v, err := d.Version(t.Context(), market); err != nil || v != 1+3*(each+each+5) {
		t.Errorf("version %d, %v", v, err)
	}
}

func TestHoldersAreTheLargestOfEachOutcome(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo, cy, market := d.Account(t, "1000"), d.Account(t, "1000"), d.Account(t, "1000"), d.Market(t)
	trade(t, d, ana, market, "yes", "3")
	trade(t, d, bo, market, "yes", "5")
	trade(t, d, cy, market, "yes", "1")
	trade(t, d, cy, market, "no", "2")
	got, err := d.Holders(t.Context(), market, 2)
	if err != nil || len(got) != 3 || got[0].Account != bo || got[0].Shares != "5.000000" || got[1].Account != ana || got[2].Account != cy || got[2].Outcome != "no" {
		t.Errorf("holders %+v, %v", got, err)
	}
	positions, err := d.Positions(t.Context(), bo)
	if err != nil || got[0].Value != positions[0].Value {
		t.Errorf("value %s, in the portfolio %+v, %v", got[0].Value, positions, err)
	}
	_, err = d.ResolveMarket(t.Context(), market, []db.Decimal{"0.25", "0.75"}, "so")
	wantCode(t, "resolve", err, "")
	if got, err = d.Holders(t.Context(), market, 1); err != nil || len(got) != 2 || got[0].Value != "1.250000" || got[1].Value != "1.500000" {
		t.Errorf("paid out: %+v, %v", got, err)
	}
}

func TestWhatIsForgottenIsGone(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo, market := d.Account(t, "10"), d.Account(t, "10"), d.Market(t)
	comment(t, d, ana, market, "hello @"+bo)
	comment(t, d, bo, market, "hello @"+ana)
	d.Exec(t, "select pgtape_core.forget_words((select id from pgtape_core.account where handle = $1))", ana)
	d.Verify(t)
	list, err := d.Comments(t.Context(), market, 0, 10)
	if err != nil || len(list) != 1 || list[0].Account != bo {
		t.Errorf("comments %+v, %v", list, err)
	}
	if told := append(notifications(t, d, ana), notifications(t, d, bo)...); len(told) != 0 {
		t.Errorf("told %+v", told)
	}
}
