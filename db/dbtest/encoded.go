package dbtest

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Encoded are the options of create database for one of some encoding, with the locale C, on the
// server of a URL.
func Encoded(t testing.TB, url, encoding string) string {
	t.Helper()
	options := "encoding '" + encoding + "' template template0 lc_collate 'C' lc_ctype 'C'"
	if version, _ := locales(t, url); version >= 15_00_00 { // the template's may be one that has UTF8 alone
		options += " locale_provider libc"
	}
	return options
}

// Turkish are the options of create database for one with a Turkish locale of ICU. The test is skipped
// where the server makes no such.
func Turkish(t testing.TB) string {
	t.Helper()
	if version, icu := locales(t, postgres); version < 15_00_00 || !icu {
		t.Skip("this server makes no databases with locales of ICU")
	}
	return "encoding 'UTF8' template template0 lc_collate 'C' lc_ctype 'C' locale_provider icu icu_locale 'tr'"
}

// EmptyIn is Empty with some encoding.
func EmptyIn(t testing.TB, encoding string) string {
	t.Helper()
	return Empty(t, Encoded(t, postgres, encoding))
}

// NewName is one for a database that the test makes itself. What has it is dropped after the test.
func NewName(t testing.TB) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	t.Cleanup(func() { statement(t, "drop database if exists "+name+" with (force)") })
	return name
}

func locales(t testing.TB, url string) (version int, icu bool) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	err = conn.QueryRow(t.Context(), `
		select current_setting('server_version_num')::integer, exists (select from pg_collation where collprovider = 'i')`).Scan(&version, &icu)
	if err != nil {
		t.Fatal(err)
	}
	return version, icu
}
