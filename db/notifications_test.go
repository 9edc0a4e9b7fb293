package db_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// notifications are what an account is told, the newest first, what is found by looking included.
func notifications(t *testing.T, d *dbtest.DB, account string) []db.Notification {
	t.Helper()
	unread, err := d.UnreadNotifications(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.Notifications(t.Context(), account, 0, 200)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range list {
		if n.ReadAt == nil {
			unread--
		}
	}
	if unread != 0 {
		t.Errorf("%d are counted beside those of %+v", unread, list)
	}
	return list
}

// told are the kinds, with a member of the detail.
func told(t *testing.T, list []db.Notification, member string) string {
	t.Helper()
	var words []string
	for _, n := range list {
		detail := map[string]any{}
		if err := json.Unmarshal(n.Detail, &detail); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(detail[member])
		if err != nil {
			t.Fatal(err)
		}
		words = append(words, n.Kind+" "+string(text))
	}
	return strings.Join(words, ", ")
}

func TestMentionsReachWhomTheyName(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	d.Exec(t, "select pgtape.create_account('ana'), pgtape.create_account('bo'), pgtape.create_account('c.d')")
	_, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: "rain", Question: "Will it?", Account: "ana"})
	wantCode(t, "market", err, "")
	for _, tt := range []struct{ body, ana, bo, cd string }{
		{"@bo and @BO, and (@c.d).", "comment", "mention", "mention"},
		{"bo@bo.example @nobody @@bo a/@bo", "comment", "", ""},
		{"@ana @c.d...", "mention", "", "mention"},
		{"@house @market:rain", "comment", "", ""},
		{"「@bo」、“@c.d”", "comment", "mention", "mention"},
		{"مرحبا@bo, né@c.d", "comment", "mention", "mention"},
	} {
		d.Exec(t, "delete from pgtape_core.notification")
		comment(t, d, d.Account(t, "1"), "rain", tt.body)
		for account, want := range map[string]string{"ana": tt.ana, "bo": tt.bo, "c.d": tt.cd} {
			list := notifications(t, d, account)
			kinds := ""
			for _, n := range list {
				kinds += n.Kind
			}
			if kinds != want || len(list) == 1 && (list[0].Words == nil || *list[0].Words != tt.body) {
				t.Errorf("%q: %s is told %+v, want %q", tt.body, account, list, want)
			}
		}
	}
	d.Exec(t, "delete from pgtape_core.notification")
	comment(t, d, "ana", "rain", "I, @ana, say so")
	if list := notifications(t, d, "ana"); len(list) != 0 {
		t.Errorf("nobody is told what he said: %+v", list)
	}
}

// Whoever writes on and on fills nobody's list: neither of whom he names, nor of who made the market.
func TestOneAuthorFillsNobodysList(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	d.Exec(t, "select pgtape.create_account('maker'), pgtape.create_account('victim'), pgtape.create_account('loud'), pgtape.create_account('calm')")
	d.Exec(t, "select pgtape.create_market('rain', 'Will it?', account => 'maker'), pgtape.set_setting('comments_per_minute', '1000')")
	want := func(what string, victim, maker int) {
		t.Helper()
		for account, want := range map[string]int{"victim": victim, "maker": maker} {
			if got := len(notifications(t, d, account)); got != want {
				t.Errorf("%s: %s is told %d things, want %d", what, account, got, want)
			}
		}
	}
	for range 13 {
		comment(t, d, "loud", "rain", "so @victim")
	}
	want("thirteen of one author", 10, 10)
	comment(t, d, "calm", "rain", "no @victim")
	want("one of another", 11, 11)
	_, err := d.ReadNotifications(t.Context(), "victim", nil)
	wantCode(t, "read", err, "")
	comment(t, d, "loud", "rain", "@maker @victim")
	want("what is read does not count", 12, 11)
	d.Exec(t, "update pgtape_core.notification set created_at = created_at - interval '1 day'")
	comment(t, d, "loud", "rain", "@maker @victim")
	want("nor does what is older than a day", 13, 12)
	d.Verify(t)
}

func TestHoldersAreToldHowAMarketEnds(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo, sold, market := d.Account(t, "1000"), d.Account(t, "1000"), d.Account(t, "1000"), d.Market(t)
	trade(t, d, ana, market, "yes", "3")
	trade(t, d, bo, market, "no", "5")
	trade(t, d, sold, market, "no", "1")
	_, err := d.Trade(t.Context(), db.Order{Account: sold, Market: market, Outcome: "no", Side: "sell", Shares: "1", MinProceeds: "0"})
	wantCode(t, "sell", err, "")
	_, err = d.CloseMarket(t.Context(), market, "so")
	wantCode(t, "close", err, "")
	_, err = d.ProposeResolution(t.Context(), market, []db.Decimal{"1", "0"}, "so")
	wantCode(t, "propose", err, "")
	_, err = d.ResolveMarket(t.Context(), market, []db.Decimal{"1", "0"}, "so")
	wantCode(t, "resolve", err, "")
	_, err = d.CorrectResolution(t.Context(), market, []db.Decimal{"0", "1"}, "no")
	wantCode(t, "correct", err, "")
	for account, want := range map[string]string{
		ana:  `resolved "-3.000000", resolved "3.000000", proposed null`,
		bo:   `resolved "5.000000", resolved "0.000000", proposed null`,
		sold: `resolved "0.000000", resolved "0.000000"`,
	} {
		if got := told(t, notifications(t, d, account), "paid"); got != want {
			t.Errorf("told %s, want %s", got, want)
		}
	}
	d.Verify(t)
}

func TestTradesAreCountedSinceTheyWereLastRead(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	maker, ana := d.Account(t, "1000"), d.Account(t, "1000")
	_, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: "rain", Question: "Will it?", Account: maker})
	wantCode(t, "market", err, "")
	want := func(what string) {
		t.Helper()
		if got := told(t, notifications(t, d, maker), "trades"); got != what {
			t.Errorf("told %q, want %q", got, what)
		}
	}
	want("")
	trade(t, d, maker, "rain", "yes", "1")
	want("")
	trade(t, d, ana, "rain", "yes", "1")
	want("traded 1")
	trade(t, d, ana, "rain", "yes", "1")
	trade(t, d, maker, "rain", "yes", "1")
	trade(t, d, ana, "rain", "no", "1")
	var looks sync.WaitGroup
	for range 8 {
		looks.Go(func() {
			if n, err := d.UnreadNotifications(t.Context(), maker); err != nil || n != 1 {
				t.Errorf("unread %d, %v", n, err)
			}
		})
	}
	looks.Wait()
	want("traded 3")
	if unread, err := d.ReadNotifications(t.Context(), maker, nil); err != nil || unread != 0 {
		t.Errorf("unread %d, %v", unread, err)
	}
	want("traded 3")
	trade(t, d, ana, "rain", "yes", "1")
	want("traded 1, traded 3")
	d.Verify(t)
}

func TestWhoHoldsSharesHearsThatAMarketClosesSoon(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, bo := d.Account(t, "1000"), d.Account(t, "1000")
	for slug, left := range map[string]time.Duration{"soon": 23 * time.Hour, "later": 25 * time.Hour} {
		at := time.Now().Add(left)
		_, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: slug, Question: "Will it?", ClosesAt: &at})
		wantCode(t, "market", err, "")
		trade(t, d, ana, slug, "yes", "1")
	}
	for range 2 {
		if list := notifications(t, d, ana); len(list) != 1 || list[0].Kind != "closing_soon" || list[0].Market == nil || *list[0].Market != "soon" {
			t.Errorf("told %+v", list)
		}
	}
	if list := notifications(t, d, bo); len(list) != 0 {
		t.Errorf("told %+v", list)
	}
}

func TestNotificationsAreOnesOwn(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	server := d.AsServer(t)
	ana, bo, market := d.Account(t, "10"), d.Account(t, "10"), d.Market(t)
	comment(t, d, bo, market, "@"+ana+" once")
	comment(t, d, bo, market, "@"+ana+" twice")
	list := notifications(t, d, ana)
	if len(list) != 2 {
		t.Fatalf("told %+v", list)
	}
	ids := []int64{list[0].ID}
	for _, who := range []struct {
		account string
		unread  int64
	}{{bo, 0}, {ana, 1}, {ana, 1}} {
		if unread, err := server.ReadNotifications(t.Context(), who.account, ids); err != nil || unread != who.unread {
			t.Errorf("unread %d, %v, want %d", unread, err, who.unread)
		}
	}
	if older, err := server.Notifications(t.Context(), ana, list[0].ID, 10); err != nil || len(older) != 1 || older[0].ID != list[1].ID {
		t.Errorf("older %+v, %v", older, err)
	}

	conn, name := login(t, d, "pgtape_trader")
	d.Exec(t, "select pgtape.map_login($1, $2)", name, bo)
	for statement, may := range map[string]bool{
		"select * from pgtape.notifications()":                         true,
		"select pgtape.unread_notifications()":                         true,
		"select pgtape.read_notifications()":                           true,
		"select pgtape.comment('" + market + "', 'so')":                true,
		"select * from pgtape.comments":                                true,
		"select * from pgtape.timeline":                                true,
		"select * from pgtape.holders('" + market + "')":               true,
		"select * from pgtape.notifications('" + ana + "')":            false,
		"select pgtape.unread_notifications('" + ana + "')":            false,
		"select pgtape.read_notifications(null, '" + ana + "')":        false,
		"select pgtape.comment('" + market + "', 'so', '" + ana + "')": false,
		"select pgtape_core.forget_words(1)":                           false,
		"select * from pgtape_core.notification":                       false,
		"delete from pgtape_core.comment":                              false,
	} {
		if _, err := conn.Exec(t.Context(), statement); (err == nil) != may {
			t.Errorf("%s: %v, may: %v", statement, err, may)
		}
	}
	if unread, err := d.UnreadNotifications(t.Context(), ana); err != nil || unread != 1 {
		t.Errorf("unread %d, %v", unread, err)
	}
}
