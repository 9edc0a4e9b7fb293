package server

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

// signUpKey is where a request has the sign-up policy, for the header of every page.
const signUpKey = "sign_up"

func (s *Server) knownPolicy(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Set(signUpKey, s.signUp)
		return next(c)
	}
}

// framed is the state of a page with what its frame needs besides.
type framed struct {
	state any
	frame
}

// frame is what every page is told: how people sign up, for whom it is drawn, which is null where
// nobody has looked, where signing in leads back to, and what the time is.
type frame struct {
	SignUp any    `json:"sign_up"`
	Shown  any    `json:"shown"`
	Here   string `json:"here"`
	Now    int64  `json:"now"` // the server's clock, in epoch milliseconds
}

func framedFor(c echo.Context, state any) framed {
	here := c.Request().URL.RequestURI()
	if strings.HasPrefix(here, "/sign") {
		here = ""
	}
	return framed{state, frame{c.Get(signUpKey), c.Get(shownKey), here, time.Now().UnixMilli()}}
}

// MarshalJSON joins both objects.
func (f framed) MarshalJSON() ([]byte, error) {
	state, err := json.Marshal(f.state)
	if err != nil {
		return nil, err
	}
	frame, err := json.Marshal(f.frame)
	if err != nil {
		return nil, err
	}
	return append(append(state[:len(state)-1], ','), frame[1:]...), nil
}

// provider is what pages say of the sign-in provider; nil when there is none.
func (s *Server) provider() *string {
	if !s.oidc.known() {
		return nil
	}
	name := s.oidc.name()
	return &name
}

// signInPage handles GET /signin?to=, and POST with a link: links have it behind the #, where no log
// sees it, and the page sends it on (app.js). Earlier links have it in the query. With a link, its owner sets a password.
func (s *Server) signInPage(c echo.Context) error {
	account, err := s.visitor(c)
	if err != nil {
		return err
	}
	state := struct {
		Account  *db.Account `json:"account"`
		Provider *string     `json:"provider"`
		To       string      `json:"to"`
		Link     string      `json:"link"`
		Handle   string      `json:"handle"` // of the link; empty: it is of no use
	}{account, s.provider(), localPath(c.QueryParam("to")), secretOf(c, "link"), ""}
	if state.Link != "" {
		if state.Handle, err = s.db.LinkAccount(c.Request().Context(), state.Link); err != nil {
			return err
		}
	}
	return render(c, http.StatusOK, "signin", state)
}

// secretOf is what a link lets somebody in by: of a form or, in links of before, of the query.
func secretOf(c echo.Context, name string) string {
	r := c.Request()
	if r.Method != http.MethodPost {
		return c.QueryParam(name)
	}
	r.Body = http.MaxBytesReader(c.Response().Writer, r.Body, maxBody)
	return r.PostFormValue(name)
}

// signUpPage handles GET /signup?to=&provider=, and POST with an invite. With provider, whoever comes from it chooses a
// handle.
func (s *Server) signUpPage(c echo.Context) error {
	account, err := s.visitor(c)
	if err != nil {
		return err
	}
	state := struct {
		Account  *db.Account `json:"account"`
		Provider *string     `json:"provider"`
		To       string      `json:"to"`
		Invite   string      `json:"invite"`
		Pending  bool        `json:"pending"` // the provider has told who it is
		Handle   string      `json:"handle"`
	}{account, s.provider(), localPath(c.QueryParam("to")), secretOf(c, "invite"), false, ""}
	if c.QueryParam("provider") != "" {
		f, err := s.flowOf(c, false)
		if err != nil {
			return err
		}
		state.Pending, state.Handle, state.To = f.Identity.Subject != "", f.Suggestion, f.To
	}
	return render(c, http.StatusOK, "signup", state)
}

// settingsPage handles GET /settings.
func (s *Server) settingsPage(c echo.Context) error {
	ctx, account := c.Request().Context(), accountOf(c)
	token, _ := sessionOf(c)
	ways, err := s.db.WaysIn(ctx, account.Ref())
	if err != nil {
		return err
	}
	sessions, err := s.db.Sessions(ctx, account.Ref(), token)
	if err != nil {
		return err
	}
	keys, err := s.db.Keys(ctx, account.Ref())
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, "settings", struct {
		Account  db.Account   `json:"account"`
		Provider *string      `json:"provider"`
		Ways     db.WaysIn    `json:"ways"`
		Sessions []db.Session `json:"sessions"`
		Keys     []db.Key     `json:"keys"`
	}{account, s.provider(), ways, sessions, keys})
}

// lossesShown are the pairs of accounts on the page; they are counted again after lossesLife.
const (
	lossesShown = 30
	lossesLife  = 30 * time.Second
)

// transferRow is a line of what accounts have lost to others.
type transferRow struct {
	db.ValueTransfer
	Unranked bool `json:"unranked"` // the one that has lost is left out of the leaderboard already
}

// adminPage handles GET /admin?q=&after=: drafts and invites for operators, accounts for admins.
func (s *Server) adminPage(c echo.Context) error {
	ctx, account := c.Request().Context(), accountOf(c)
	invites, err := s.db.Invites(ctx, account.Ref())
	if err != nil {
		return err
	}
	state := struct {
		Account db.Account  `json:"account"`
		Invites []db.Invite `json:"invites"`
		People  *peopleList `json:"people"`
		Query   string      `json:"q"`
		Drafts  []db.Market `json:"drafts"`

		Waiting   []db.NewAccount      `json:"waiting"`
		Transfers []transferRow        `json:"transfers"`
		Unranked  []db.UnrankedAccount `json:"unranked"`
	}{Account: account, Invites: invites, Query: c.QueryParam("q")}
	if state.Waiting, err = s.db.AccountsToApprove(ctx, account.Ref()); err != nil {
		return err
	}
	if state.Unranked, err = s.db.UnrankedAccounts(ctx, account.Ref()); err != nil {
		return err
	}
	transfers, err := s.losses.get(func() ([]db.ValueTransfer, error) { return s.db.ValueTransfers(ctx, lossesShown) })
	if err != nil {
		return err
	}
	for _, t := range transfers {
		left := slices.ContainsFunc(state.Unranked, func(u db.UnrankedAccount) bool { return u.Handle == t.From })
		state.Transfers = append(state.Transfers, transferRow{t, left})
	}
	if state.Drafts, _, err = s.db.Markets(ctx, db.MarketFilter{Status: "draft", Sort: "new"}); err != nil {
		return err
	}
	if account.Role.Has(db.Admin) {
		people, err := s.db.People(ctx, state.Query, c.QueryParam("after"), peoplePage, account.Ref())
		if err != nil {
			return err
		}
		list := peopleOf(people)
		state.People = &list
	}
	return render(c, http.StatusOK, "admin", state)
}
