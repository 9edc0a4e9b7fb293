package server

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

const (
	// accountHeader names the account that a page shows, or that a program means. What would be done
	// for another is refused: the cookie of a browser may have changed hands in another tab.
	accountHeader = "X-Pgtape-Account"

	// accountParam is the header for a link to a file, which can have none.
	accountParam = "as"

	// accountCookie tells the scripts of a page who is signed in. It opens nothing: pgtape_session does.
	accountCookie = "pgtape_account"

	// shownKey is where a request has for whom its page is drawn: a name, or "" for nobody. Nothing is
	// there where nobody has looked.
	shownKey = "shown"
)

// nameOf names an account for good: a handle that its owner has left may be taken by somebody else.
// No handle has a colon.
func nameOf(a db.Account) string {
	return a.Handle + ":" + strconv.FormatInt(a.CreatedAt.UnixMicro(), 36)
}

// meant refuses a request that names another account than the one that asks. A handle will do.
// Errors: AccountChanged.
func meant(c echo.Context, who db.Account) error {
	named := cmp.Or(c.Request().Header.Get(accountHeader), c.QueryParam(accountParam))
	if named == "" || named == nameOf(who) || strings.EqualFold(named, who.Handle) {
		return nil
	}
	handle, _, _ := strings.Cut(named, ":")
	return &db.Error{
		Code: db.AccountChanged, Message: "nothing was done: this was asked for " + handle + ", but the account that is signed in here now is " + who.Handle,
		Hint: "load the page again", Detail: encode(map[string]string{"account": who.Handle}),
	}
}

// meantByVisitor is meant for routes that anybody may ask: a page must not sign out whom it does not show.
func (s *Server) meantByVisitor(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if _, given := sessionOf(c); !given || c.Request().Header.Get(accountHeader) == "" {
			return next(c)
		}
		who, err := s.caller(c, true)
		if db.CodeOf(err) == db.NotSignedIn {
			return next(c)
		}
		if err == nil {
			err = meant(c, who.Account)
		}
		if err != nil {
			return err
		}
		return next(c)
	}
}

// show notes for whom a page is drawn.
func show(c echo.Context, who *db.Account) {
	name := ""
	if who != nil {
		name = nameOf(*who)
	}
	c.Set(shownKey, name)
}

// tellScripts has the cookie that a page's scripts read agree with the page: the session may have ended,
// or be older than the cookie.
func tellScripts(c echo.Context) {
	name, known := c.Get(shownKey).(string)
	cookie, err := c.Cookie(accountCookie)
	switch {
	case known && name == "" && err == nil:
		setAccountCookie(c, "", -1)
	case known && name != "" && (err != nil || cookie.Value != name):
		setAccountCookie(c, name, sessionLife)
	}
}

// isPersonal tells whether a request's page is drawn for somebody.
func isPersonal(c echo.Context) bool {
	name, _ := c.Get(shownKey).(string)
	return name != ""
}
