package db_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// A login that is made for an account trades as it, and cannot take all connections.
func TestAnSQLLoginIsLimited(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, rain := d.Account(t, "1000"), d.Market(t)
	// What Postgres is sent, it would hash like this, unless it is a hash: the log of statements has it.
	d.Exec(t, "do $$ begin execute format('alter database %I set password_encryption = md5', current_database()); end $$")
	made, err := db.CreateSQLLogin(t.Context(), d.URL(), ana, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d, err := pgx.Connect(context.WithoutCancel(t.Context()), d.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close(context.WithoutCancel(t.Context()))
		if _, err := d.Exec(context.WithoutCancel(t.Context()), "drop owned by "+made.Name+"; drop role "+made.Name); err != nil {
			t.Error(err)
		}
	})
	var kept string
	if err := d.Pool().QueryRow(t.Context(), "select rolpassword from pg_authid where rolname = $1", made.Name).Scan(&kept); err != nil || !isVerifierOf(kept, made.Password) {
		t.Errorf("Postgres keeps %s, %v", kept, err)
	}
	config, err := pgx.ParseConfig(d.URL())
	if err != nil {
		t.Fatal(err)
	}
	config.User, config.Password = made.Name, made.Password
	for i := range 3 {
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if (err == nil) != (i < 2) || err != nil && sqlState(err) != "53300" {
			t.Fatalf("connection %d: %v", i+1, err)
		}
		if err != nil {
			break
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		var account, limits string
		err = conn.QueryRow(t.Context(), `
			select (pgtape.trade($1, 'yes', 'buy', shares => 1, max_cost => 1)).account,
				concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'))`,
			rain).Scan(&account, &limits)
		if err != nil || account != ana || limits != "15s 5s 5s" {
			t.Errorf("trades as %s within %s, %v", account, limits, err)
		}
	}
	for handle, want := range map[string]db.Code{ana: db.AlreadyExists, "nobody-of-this-name": db.NotFound} {
		if _, err := db.CreateSQLLogin(t.Context(), d.URL(), handle, 5); db.CodeOf(err) != want {
			t.Errorf("for %s: %v, want %s", handle, err, want)
		}
	}
	if _, err := db.CreateSQLLogin(t.Context(), d.URL(), ana, 0); db.CodeOf(err) != db.InvalidRequest {
		t.Errorf("without connections: %v", err)
	}
}

// isVerifierOf tells whether Postgres lets a password in by what it keeps.
func isVerifierOf(kept, password string) bool {
	_, salted, _ := strings.Cut(kept, "$4096:")
	text, _, _ := strings.Cut(salted, "$")
	salt, err := base64.StdEncoding.DecodeString(text)
	again, hashErr := db.SCRAMVerifierOf(password, salt, 4096)
	return err == nil && hashErr == nil && len(salt) == 16 && kept == again
}

// The exchange of RFC 7677, by what is kept of its password.
func TestAVerifierIsTheOneOfTheStandard(t *testing.T) {
	t.Parallel()
	decode := base64.StdEncoding.DecodeString
	salt, _ := decode("W22ZaJ0SNY7soEsUEjb6gQ==")
	verifier, err := db.SCRAMVerifierOf("pencil", salt, 4096)
	if err != nil {
		t.Fatal(err)
	}
	keys := strings.Split(verifier[strings.LastIndex(verifier, "$")+1:], ":")
	stored, _ := decode(keys[0])
	server, _ := decode(keys[1])
	sum := func(key []byte) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte("n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096," +
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"))
		return mac.Sum(nil)
	}
	proof, _ := decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
	for i, b := range sum(stored) {
		proof[i] ^= b
	}
	if hash := sha256.Sum256(proof); !hmac.Equal(hash[:], stored) {
		t.Errorf("%s refuses the client of the standard", verifier)
	}
	if got := base64.StdEncoding.EncodeToString(sum(server)); got != "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" {
		t.Errorf("the server shows %s", got)
	}
}

// sqlState is the SQLSTATE of an error of Postgres.
func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}
