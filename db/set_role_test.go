package db_test

import (
	"context"
	"testing"
	"time"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

const anyPassword = "$argon2id$v=19$m=8,t=1,p=1$YQ$YQ"

// Others may be signed in to an account that has neither password nor identity. A login that is an
// operator's makes the first admin, and may give rights to any.
func TestAnAdminGivesRightsOnlyToAccountsThatCanSignIn(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	d.Exec(t, "select pgtape.create_account(h) from unnest('{boss,bare,ana,ida}'::text[]) h")
	d.Exec(t, "select pgtape.set_role('boss', 'admin'), pgtape.link_identity('ida', 'https://id.example', 'ida')")
	d.Exec(t, "select pgtape.set_password('ana', $1)", anyPassword)
	server := d.AsServer(t)
	tests := []struct {
		name, account string
		role          db.Role
		want          db.Code // empty: the role is given
	}{
		{"operator, to one without a password", "bare", db.Operator, db.NotPermitted},
		{"admin, to one without a password", "bare", db.Admin, db.NotPermitted},
		{"trader, to one without a password", "bare", db.Trader, ""},
		{"operator, to one with a password", "ana", db.Operator, ""},
		{"admin, to one with an identity", "ida", db.Admin, ""},
		{"operator, to nobody", "nobody", db.Operator, db.NotFound},
	}
	for _, tt := range tests {
		if _, err := server.SetRole(d.Proof(t, "boss"), tt.account, tt.role, "boss"); db.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want code %q", tt.name, err, tt.want)
		}
	}
}

// What is checked is still so when the role is given.
func TestRightsAreGivenUnderTheLockOfTheAccount(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	d.Exec(t, "select pgtape.create_account(h) from unnest('{boss,bare,ana}'::text[]) h")
	d.Exec(t, "select pgtape.set_role('boss', 'admin'), pgtape.set_password('ana', $1)", anyPassword)
	server, boss := d.AsServer(t), d.Proof(t, "boss")
	tests := []struct {
		name, first string
		second      func() error
	}{
		{
			"a right, to an account whose owner leaves", "select pgtape.delete_account('ana', 'ana')",
			func() error { _, err := server.SetRole(boss, "ana", db.Operator, "boss"); return err },
		},
		{
			"a session by the handle alone, of an account that gets a right", "select pgtape.set_role('bare', 'operator')",
			func() error { _, _, err := server.EnterByHandle(t.Context(), "bare", ""); return err },
		},
	}
	for _, tt := range tests {
		tx, err := d.Pool().Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
		if _, err := tx.Exec(t.Context(), tt.first); err != nil {
			t.Fatal(err)
		}
		answer := make(chan error, 1)
		go func() { answer <- tt.second() }()
		if err := waitForLock(t, d, answer); err != nil {
			t.Fatalf("%s: it did not wait: %v", tt.name, err)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-answer; db.CodeOf(err) != db.NotPermitted {
			t.Errorf("%s: %v, want code %q", tt.name, err, db.NotPermitted)
		}
	}
}

// waitForLock waits until a statement on the database waits for a lock, or has answered instead.
func waitForLock(t *testing.T, d *dbtest.DB, answer <-chan error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for waits := false; !waits; {
		select {
		case err := <-answer:
			return db.Errorf(db.Unavailable, "it answered: %v", err)
		default:
		}
		err := d.Pool().QueryRow(ctx, `select exists (select from pg_stat_activity
			where wait_event_type = 'Lock' and datname = current_database())`).Scan(&waits)
		if err != nil {
			return err
		}
	}
	return nil
}
