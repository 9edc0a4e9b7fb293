package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db/embedded"
)

var printedLink = regexp.MustCompile(`https://markets\.example/(signin#link|signup#invite)=([A-Z2-7]+)`)

func TestTheFirstAdminIsMadeOnTheCommandLine(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	r := start(t, "serve", "--data-dir", dir, "--sign-up", "invite", "--source", "notify", "--log-level", "debug")
	account := func(want int, args ...string) string {
		t.Helper()
		code, out, errs := pgtape(t, append([]string{"account", "--data-dir", dir, "--url", "https://markets.example/"}, args...)...)
		if code != want {
			t.Fatalf("account %v: %d, %s%s", args, code, out, errs)
		}
		return out + errs
	}
	const secret = "correct horse battery"

	out := account(0, "create", "ana", "--role", "admin")
	link := printedLink.FindStringSubmatch(out)
	if link == nil || !strings.Contains(out, "created ana, admin") {
		t.Fatal(out)
	}
	if status, body := r.post("/api/v1/session", `{"link":"`+link[2]+`","password":"`+secret+`"}`); status != http.StatusCreated || !strings.Contains(body, `"role":"admin"`) {
		t.Fatalf("by the link: %d %s", status, body)
	}
	if status, body := r.post("/api/v1/session", `{"handle":"ana","password":"`+secret+`"}`); status != http.StatusCreated {
		t.Fatalf("by the password: %d %s", status, body)
	}
	if out := account(0, "list"); !regexp.MustCompile(`ana +admin +yes +2 +0`).MatchString(out) {
		t.Errorf("list: %s", out)
	}

	invite := printedLink.FindStringSubmatch(account(0, "invite"))
	if status, body := r.post("/api/v1/session", `{"handle":"bo","new":true,"invite":"`+invite[2]+`"}`); status != http.StatusCreated {
		t.Fatalf("by invite: %d %s", status, body)
	}
	if out := account(0, "role", "bo", "operator"); !strings.Contains(out, "bo is operator now") || printedLink.FindString(out) == "" {
		t.Errorf("role of an account without a password: %s", out)
	}
	if out := account(0, "password", "bo"); printedLink.FindString(out) == "" {
		t.Errorf("password: %s", out)
	}
	for _, refused := range [][]string{
		{"create", "ana"},
		{"create", "two words"},
		{"create", "cy", "--role", "king"},
		{"role", "nosuch", "admin"},
		{"role", "bo", "king"},
		{"password", "nosuch"},
		{"invite", "--uses", "0"},
		{"invite", "--days", "400"},
		{"create", "cy", "--password"},
	} {
		account(2, refused...)
	}
	if out := account(0, "list"); strings.Contains(out, "cy") {
		t.Errorf("what was refused was made: %s", out)
	}
	for _, hidden := range []string{secret, link[2], invite[2]} {
		if strings.Contains(r.output(), hidden) {
			t.Errorf("the log has %s", hidden)
		}
	}
	namesAtATerminal(t, dir)
}

// post sends JSON, as a program that keeps no cookie.
func (r *running) post(path, body string) (status int, answer string) {
	r.t.Helper()
	response, err := http.Post(r.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// The line of a new login shows that login's password, and of the URL that made it, however it is
// spelled, none.
func TestTheLineOfALoginShowsNoOtherPassword(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	start(t, "serve", "--data-dir", dir, "--source", "notify")
	endpoint, err := embedded.Attach(dir)
	if err != nil {
		t.Fatal(err)
	}
	socket, port, owner := endpoint.SocketDir(), endpoint.Port(), endpoint.Superuser()
	for handle, database := range map[string]string{
		"ana": fmt.Sprintf("host='%s' port=%d user=%s password='hidden one' dbname=pgtape", socket, port, owner),
		"bo":  fmt.Sprintf("postgres://%s:hidden@%s:%d/pgtape", owner, url.QueryEscape(socket), port),
		"cy":  fmt.Sprintf("postgres:///pgtape?host=%s&port=%d&user=%s&password=hidden", socket, port, owner),
	} {
		for _, args := range [][]string{{"create", handle}, {"sql-login", handle}} {
			code, out, errs := pgtape(t, append(append([]string{"account"}, args...), "--database-url", database)...)
			if code != 0 || strings.Contains(out+errs, "hidden") {
				t.Fatalf("%v of %s: %d, %s%s", args, database, code, out, errs)
			}
			if args[0] == "sql-login" && !regexp.MustCompile("psql '.*trader_"+handle+".*pgtape.*'\n").MatchString(out+errs) {
				t.Errorf("%s: %s%s", database, out, errs)
			}
		}
	}
}
