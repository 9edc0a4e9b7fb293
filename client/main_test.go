package client_test

import (
	"testing"

	"github.com/pgtape/pgtape/client"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/server/servertest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// signedIn is a client with a new account.
func signedIn(t *testing.T, w *servertest.World, handle string) *client.Client {
	t.Helper()
	c := client.New(w.URL)
	t.Cleanup(c.Close)
	if _, err := c.SignIn(t.Context(), handle); err != nil {
		t.Fatal(err)
	}
	return c
}
