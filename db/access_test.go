package db_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

func TestOfManyWhoComeAtOnceAnInviteLetsInAsManyAsItSays(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	code, _, _, err := d.CreateInvite(t.Context(), db.NewInvite{Uses: 3, Life: time.Hour, Role: db.Trader}, "")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var wait sync.WaitGroup
	codes := map[db.Code]int{}
	for i := range 8 {
		wait.Go(func() {
			_, err := d.SignUp(t.Context(), db.SignUp{Handle: fmt.Sprint("guest", i), Invite: code})
			mu.Lock()
			defer mu.Unlock()
			codes[db.CodeOf(err)]++
		})
	}
	wait.Wait()
	if codes[""] != 3 || codes[db.NotPermitted] != 5 {
		t.Errorf("%v, want 3 let in and 5 refused", codes)
	}
	d.Verify(t)
}

func TestALinkWorksOnceForWhoComesFirst(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	handle := d.Account(t, "10")
	first, _, err := d.CreateSignInLink(t.Context(), handle, time.Hour, "")
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := d.CreateSignInLink(t.Context(), handle, time.Hour, "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.LinkAccount(t.Context(), first); got != "" || err != nil {
		t.Errorf("a link that another has replaced: %q %v", got, err)
	}
	var mu sync.Mutex
	var wait sync.WaitGroup
	codes := map[db.Code]int{}
	for range 4 {
		wait.Go(func() {
			_, _, err := d.UseSignInLink(t.Context(), second, "$argon2id$v=19$m=8,t=1,p=1$YQ$YQ", "", false)
			mu.Lock()
			defer mu.Unlock()
			codes[db.CodeOf(err)]++
		})
	}
	wait.Wait()
	if codes[""] != 1 || codes[db.NotPermitted] != 3 {
		t.Errorf("%v, want 1 let in and 3 refused", codes)
	}
}

func TestSecretsAreNotInTheDatabase(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	handle := d.Account(t, "10")
	token, _, err := d.CreateSession(t.Context(), handle, "")
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := d.CreateKey(t.Context(), handle, "k", []string{"read"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	code, _, _, err := d.CreateInvite(t.Context(), db.NewInvite{Uses: 1, Life: time.Hour, Role: db.Trader}, "")
	if err != nil {
		t.Fatal(err)
	}
	link, _, err := d.CreateSignInLink(t.Context(), handle, time.Hour, "")
	if err != nil {
		t.Fatal(err)
	}
	flow, err := d.PutOIDCFlow(t.Context(), map[string]string{"a": "b"})
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"session", "api_key", "invite", "sign_in_link", "oidc_flow", "credential", "audit_entry"} {
		for name, secret := range map[string]string{"token": token, "key": key, "code": code, "link": link, "flow": flow} {
			var found bool
			err := d.Pool().QueryRow(t.Context(), "select exists (select from pgtape_core."+table+" t where strpos(t::text, $1) > 0)", secret).Scan(&found)
			if err != nil || found {
				t.Errorf("%s has the %s: %v %v", table, name, found, err)
			}
		}
	}
}
