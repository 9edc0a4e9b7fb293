package db_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// A name says who somebody is to people. To the database it is an account's id, and a login's.

func TestALoginIsNotTheAccountOfItsName(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	conn, name := login(t, d, "pgtape_trader")
	d.Exec(t, "select pgtape.create_account($1, 500)", name)
	market := d.Market(t)
	trade(t, d, name, market, "yes", "3")
	rows := func(view string) (n int) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), "select count(*) from pgtape."+view).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	wantNothing := func(who string) {
		t.Helper()
		for _, view := range []string{"my_account", "my_positions", "my_ledger"} {
			if n := rows(view); n != 0 {
				t.Errorf("%s reads %d rows of %s, which are its namesake's", who, n, view)
			}
		}
		for statement, want := range map[string]db.Code{
			"select pgtape.trade('" + market + "', 'yes', 'buy', 1, max_cost => 1)":                            db.NotFound,
			"select pgtape.trade('" + market + "', 'yes', 'buy', 1, max_cost => 1, account => '" + name + "')": db.NotPermitted,
			"select pgtape.notifications()":                                       db.NotFound,
			"select pgtape.close_market('" + market + "', 'why', '" + name + "')": db.NotPermitted,
		} {
			if _, err := conn.Exec(t.Context(), statement); db.CodeOf(db.Refusal(err)) != want {
				t.Errorf("%s: %s: %v, want %s", who, statement, err, want)
			}
		}
	}
	wantNothing("a login that is not mapped")

	d.Exec(t, "select pgtape.map_login($1, $1)", name)
	if rows("my_account") != 1 || rows("my_positions") != 1 || rows("my_ledger") != 2 {
		t.Error("a mapped login does not read its own book")
	}

	// Somebody else gets the name.
	d.Exec(t, "alter role "+name+" rename to "+name+"_before")
	d.Exec(t, "create role "+name+" login in role pgtape_trader")
	defer d.Exec(t, "drop role "+name+"; alter role "+name+"_before rename to "+name)
	conn = connectAs(t, d, name)
	defer conn.Close(context.WithoutCancel(t.Context()))
	wantNothing("another role of the name")
	d.Verify(t)
}

func TestWhatALoginDidIsNotItsNamesakes(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	conn, name := login(t, d, "pgtape_operator")
	d.Exec(t, "select pgtape.create_account($1)", name)
	market := d.Market(t)
	if _, err := conn.Exec(t.Context(), "select pgtape.halt_market('"+market+"', 'a secret reason')"); err != nil {
		t.Fatal(err)
	}
	d.Exec(t, "select pgtape.set_role($1, 'operator')", name)
	if _, err := d.AsServer(t).MoveMarket(d.Proof(t, name), db.Move{Market: market, Name: "open", Reason: "mine", Account: name}); err != nil {
		t.Fatal(err)
	}
	var acts []struct{ Detail struct{ Reason string } }
	export, err := d.ExportAccount(t.Context(), name)
	if err == nil {
		err = json.Unmarshal(export, &struct{ Acts any }{&acts})
	}
	if err != nil || len(acts) != 1 || acts[0].Detail.Reason != "mine" {
		t.Errorf("exported %+v, %v, want what the account did, and nothing that the login did", acts, err)
	}
	entries, err := d.Audit(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var actors []string
	for _, e := range entries {
		if e.Act == "halted" || e.Act == "opened" {
			actors = append(actors, e.Actor)
		}
	}
	if got, want := strings.Join(actors, " "), name+" login:"+name; got != want {
		t.Errorf("actors %q, want %q", got, want)
	}

	// Who leaves takes its own acts along, and leaves the login's.
	gone, err := d.DeleteAccount(t.Context(), name, name)
	if err != nil {
		t.Fatal(err)
	}
	var bodies string
	if err := d.Pool().QueryRow(t.Context(), "select string_agg(body, ' ') from pgtape.tape where market = $1", market).Scan(&bodies); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(bodies, `"`+name+`"`) || !strings.Contains(bodies, `"login:`+name+`"`) || !strings.Contains(bodies, `"`+gone+`"`) {
		t.Errorf("the tape after %s left as %s: %s", name, gone, bodies)
	}
	d.Verify(t)
}

func TestNobodyActsForWhoHasLeftNorForTheNextOfTheName(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	market := d.Market(t)
	before, err := d.CreateAccount(t.Context(), "ana", "100")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.DeleteAccount(t.Context(), "ana", "ana"); err != nil {
		t.Fatal(err)
	}
	next, err := d.CreateAccount(t.Context(), "ana", "100")
	if err != nil || next.Ref() == before.Ref() {
		t.Fatalf("%+v, %v", next, err)
	}
	server := d.AsServer(t)
	order := db.Order{Market: market, Outcome: "yes", Side: "buy", Shares: "1", MaxCost: "1", Account: before.Ref()}
	for _, name := range []string{before.Ref(), "#999999", "#", "#1x", "#99999999999999999999"} {
		order.Account = name
		_, err := server.Trade(t.Context(), order)
		placed, batch := server.TradeBatch(t.Context(), market, []db.Order{order})
		if batch == nil {
			batch = placed[0].Err
		}
		_, comment := server.Comment(t.Context(), db.NewComment{Market: market, Body: "hello", Account: name})
		_, made := server.CreateMarket(t.Context(), db.NewMarket{Slug: "x", Question: "Will it?", Account: name, Liquidity: "1"})
		for door, err := range map[string]error{"trade": err, "batch": batch, "comment": comment, "market": made} {
			if db.CodeOf(err) != db.NotFound {
				t.Errorf("%s as %s: %v, want %s", door, name, err, db.NotFound)
			}
		}
	}
	order.Account = next.Ref()
	if receipt, err := server.Trade(t.Context(), order); err != nil || receipt.Account != "ana" {
		t.Errorf("by its id: %+v, %v", receipt, err)
	}
	d.Verify(t)
}

func TestSomeHandlesAreNobodys(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	for _, handle := range []string{"gone-deadbeef", "Gone-deadbeef", "gone-", "gone-with-the-wind", "login:bob", "#1"} {
		if _, err := d.CreateAccount(t.Context(), handle, ""); db.CodeOf(err) != db.InvalidRequest {
			t.Errorf("%s: %v, want %s", handle, err, db.InvalidRequest)
		}
		if _, err := d.AsServer(t).SignUp(t.Context(), db.SignUp{Handle: handle}); db.CodeOf(err) != db.InvalidRequest {
			t.Errorf("%s, signed up: %v, want %s", handle, err, db.InvalidRequest)
		}
	}
	for _, handle := range []string{"gone", "goner", "begone-1"} {
		if _, err := d.CreateAccount(t.Context(), handle, ""); err != nil {
			t.Errorf("%s: %v", handle, err)
		}
	}
	// One from before is named, and goes on.
	d.Exec(t, "update pgtape_core.account set handle = 'gone-cafe' where handle = 'begone-1'")
	violations, err := d.DB.Verify(t.Context())
	var named bool
	for _, v := range violations {
		named = named || v.Subject == "account gone-cafe" && strings.Contains(v.Problem, "reserved")
	}
	if err != nil || !named {
		t.Errorf("verify says %v, %v, want the handle named", violations, err)
	}
}
