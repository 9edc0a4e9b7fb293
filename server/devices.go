package server

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

// listSessions handles GET /api/v1/sessions: the browsers that are signed in as the caller.
func (s *Server) listSessions(c echo.Context) error {
	token, _ := sessionOf(c)
	sessions, err := s.db.Sessions(c.Request().Context(), accountOf(c).Ref(), token)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct {
		Sessions []db.Session `json:"sessions"`
	}{sessions})
}

// deleteOtherSessions handles DELETE /api/v1/sessions: every browser but this one is signed out.
func (s *Server) deleteOtherSessions(c echo.Context) error {
	token, _ := sessionOf(c)
	ended, err := s.db.EndOtherSessions(c.Request().Context(), accountOf(c).Ref(), token)
	if err != nil {
		return err
	}
	s.passes.withdraw(ended...)
	return c.NoContent(http.StatusNoContent)
}

// deleteOneSession handles DELETE /api/v1/sessions/{id}.
func (s *Server) deleteOneSession(c echo.Context) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	ended, err := s.db.EndSession(c.Request().Context(), accountOf(c).Ref(), id)
	if err != nil {
		return err
	}
	s.passes.withdraw(ended)
	return c.NoContent(http.StatusNoContent)
}

// changePassword handles POST /api/v1/password: the caller's other browsers are signed out, and this
// one gets a new token. Who has no password yet has none to show. With end_access whatever else lets
// somebody in ends, too: API keys, the linked identity, invites.
func (s *Server) changePassword(c echo.Context) error {
	var request struct {
		Current   string `json:"current"`
		Password  string `json:"password"`
		EndAccess bool   `json:"end_access"`
	}
	if err := decode(c, &request, db.InvalidRequest); err != nil {
		return err
	}
	ctx, account := c.Request().Context(), accountOf(c)
	if err := s.confirmChange(c, request.Current); err != nil {
		return err
	}
	phc, err := s.hash(s.withClient(c, account.Handle), request.Password, account.Handle)
	if err != nil {
		return err
	}
	token, ended, err := s.db.ChangePassword(ctx, account.Ref(), phc, deviceLabel(c), request.EndAccess)
	if err != nil {
		return err
	}
	s.passes.withdraw(ended...)
	setSessionCookie(c, token, accountOf(c))
	return c.NoContent(http.StatusNoContent)
}

// idOf reads the number that an address ends with.
// Errors: NotFound when it is none.
func idOf(c echo.Context) (int64, error) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, db.Errorf(db.NotFound, "there is nothing of this id")
	}
	return id, nil
}

var browsers = []struct{ part, name string }{ // the first that is there: many pretend to be others, too
	{"Edg", "Edge"},
	{"OPR/", "Opera"},
	{"SamsungBrowser", "Samsung Internet"},
	{"Firefox/", "Firefox"},
	{"FxiOS", "Firefox"},
	{"Chrome/", "Chrome"},
	{"CriOS", "Chrome"},
	{"Safari/", "Safari"},
	{"curl/", "curl"},
	{"Go-http-client", "Go program"},
	{"python", "Python program"},
}

var systems = []struct{ part, name string }{
	{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
}

// deviceLabel is what a person knows a browser by.
func deviceLabel(c echo.Context) string {
	agent := c.Request().UserAgent()
	label := "Unknown browser"
	for _, b := range browsers {
		if strings.Contains(agent, b.part) {
			label = b.name
			break
		}
	}
	for _, system := range systems {
		if strings.Contains(agent, system.part) {
			return label + " on " + system.name
		}
	}
	return label
}
