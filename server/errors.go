package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

// statuses maps every code that a caller may be told.
var statuses = map[db.Code]int{
	db.StaleQuote:          http.StatusConflict,
	db.MarketNotOpen:       http.StatusConflict,
	db.InsufficientFunds:   http.StatusUnprocessableEntity,
	db.InsufficientShares:  http.StatusUnprocessableEntity,
	db.DeadlinePassed:      http.StatusConflict,
	db.IdempotencyMismatch: http.StatusUnprocessableEntity,
	db.NotFound:            http.StatusNotFound,
	db.InvalidOrder:        http.StatusBadRequest,
	db.NotPermitted:        http.StatusForbidden,
	db.AlreadyExists:       http.StatusConflict,
	db.InvalidRequest:      http.StatusBadRequest,
	db.NotConfirmed:        http.StatusForbidden,
	db.AccountChanged:      http.StatusConflict,
	db.NotSignedIn:         http.StatusUnauthorized,
	db.CursorUnknown:       http.StatusGone,
	db.TooManyRequests:     http.StatusTooManyRequests,
	db.Unavailable:         http.StatusServiceUnavailable,
	db.Internal:            http.StatusInternalServerError,
}

// statusGone is for the log: the client left, and nobody reads the answer.
const statusGone = 499

// answerError answers what a handler returned: problem+json (RFC 9457), or a page where a person
// asked for one.
func (s *Server) answerError(err error, c echo.Context) {
	request := c.Request()
	if c.Response().Committed {
		s.log.Debug("answer broke off", "path", request.URL.Path, "request", requestID(c), "err", err)
		return
	}
	if errors.Is(err, context.Canceled) && request.Context().Err() != nil {
		c.Response().WriteHeader(statusGone)
		return
	}
	if s.redirectToName(err, c) {
		return
	}
	status, refusal := s.refusal(err, c)
	if status == http.StatusServiceUnavailable {
		after := max(1, int(refusal.RetryAfter.Round(time.Second)/time.Second))
		c.Response().Header().Set("Retry-After", strconv.Itoa(after))
	}
	if status == http.StatusTooManyRequests && c.Response().Header().Get("Retry-After") == "" {
		c.Response().Header().Set("Retry-After", strconv.Itoa(retryAfter(refusal)))
	}
	if status == http.StatusUnauthorized {
		if _, keyed := bearer(c); !keyed && wantsPage(request) && c.Redirect(http.StatusSeeOther, "/signin?to="+url.QueryEscape(request.URL.RequestURI())) == nil {
			return
		}
		c.Response().Header().Set("WWW-Authenticate", "Bearer")
	}
	if wantsPage(request) && s.errorPage(c, status, refusal) == nil {
		return
	}
	if err := c.Blob(status, "application/problem+json", problem(status, refusal)); err != nil {
		s.log.Debug("answer broke off", "path", request.URL.Path, "request", requestID(c), "err", err)
	}
}

// redirectToName sends whoever asked for a market by its slug in capitals, or with a space, to where it is.
func (s *Server) redirectToName(err error, c echo.Context) bool {
	request, slug := c.Request(), c.Param("slug")
	if slug == "" || len(slug) > 200 || s.db == nil || request.Method != http.MethodGet || db.CodeOf(err) != db.NotFound {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(request.Context()), 2*time.Second) // the request's own is over
	defer cancel()
	name, err := s.db.NameOfMarket(ctx, slug)
	if err != nil || name == "" || name == slug {
		return false
	}
	to := *request.URL
	to.Path, to.RawPath = strings.Replace(c.Path(), ":slug", name, 1), ""
	to.Path = strings.Replace(to.Path, ":tab", c.Param("tab"), 1)
	return c.Redirect(http.StatusPermanentRedirect, to.RequestURI()) == nil
}

// refusal is what an error is to a caller, in words that can be shown.
func (s *Server) refusal(err error, c echo.Context) (status int, e *db.Error) {
	status, e = s.causeOf(err, c)
	message, hint := readable(e.Message), readable(e.Hint)
	if message == e.Message && hint == e.Hint {
		return status, e
	}
	shown := *e
	shown.Message, shown.Hint = message, hint
	return status, &shown
}

// longestMessage is more than any message has of its own.
const longestMessage = 2000

// readable is a message that may repeat what a caller has sent: what is not seen in it, or would turn the
// direction of what follows, is marked, and it ends somewhere.
func readable(message string) string {
	if len(message) > longestMessage {
		message = strings.ToValidUTF8(message[:longestMessage], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Co, unicode.Zl, unicode.Zp) && r != '\n' || strings.ContainsRune(misleading, r) {
			return utf8.RuneError
		}
		return r
	}, message)
}

// misleading are what turns the direction of text, and what is not seen.
const misleading = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u00ad\u180e\u200b\u2060\ufeff"

// causeOf finds the status and the error of it. What was not meant for callers is logged, not told.
func (s *Server) causeOf(err error, c echo.Context) (status int, e *db.Error) {
	var ofEcho *echo.HTTPError
	switch {
	case errors.As(err, &e) && e.Said != "" && e.Code != db.Unavailable: // of our own connections: nothing of it is a caller's
		e = &db.Error{
			Code: db.Unavailable, Message: "the database refuses this server's connections", Hint: "the operator finds the cause in the server's log",
			Reason: db.ReasonLogin, RetryAfter: 5 * time.Second, Said: e.Error() + " (" + e.Hint + ")",
		}
		s.outages.note(s.log, e, c.Request().Method, c.Request().URL.Path)
		return http.StatusServiceUnavailable, e
	case errors.As(err, &e) && statuses[e.Code] != 0 && e.Code != db.Internal:
		if e.Code == db.Unavailable {
			s.outages.note(s.log, e, c.Request().Method, c.Request().URL.Path)
		}
		return statuses[e.Code], e
	case errors.As(err, &ofEcho) && ofEcho.Code < http.StatusInternalServerError:
		return ofEcho.Code, ofStatus(ofEcho)
	case errors.Is(err, context.DeadlineExceeded):
		e = db.Errorf(db.Unavailable, "the database did not answer in time")
		e.Reason = db.ReasonTimeout
		s.outages.note(s.log, e, c.Request().Method, c.Request().URL.Path)
		return http.StatusServiceUnavailable, e
	}
	s.log.Error("request failed", "method", c.Request().Method, "path", c.Request().URL.Path,
		"request", requestID(c), "err", err)
	return http.StatusInternalServerError, &db.Error{
		Code: db.Internal, Message: "something went wrong here; the server's log has it as request " + requestID(c),
	}
}

// retryAfter is how many seconds a refusal of the database says to wait.
func retryAfter(e *db.Error) int {
	var detail struct {
		RetryAfter float64 `json:"retry_after"`
	}
	_ = json.Unmarshal(e.Detail, &detail)
	return max(1, int(detail.RetryAfter))
}

// ofStatus words what has a status, but no code of its own.
func ofStatus(err *echo.HTTPError) *db.Error {
	switch err.Code {
	case http.StatusNotFound:
		return db.Errorf(db.NotFound, "there is nothing at this address")
	case http.StatusMethodNotAllowed:
		return db.Errorf(db.InvalidRequest, "this address does not take that method")
	}
	return db.Errorf(db.InvalidRequest, "%v", err.Message)
}

// problem is the body of a refusal: the members of RFC 9457, the code, and what the error has in
// detail for programs, a fresh quote, say.
func problem(status int, e *db.Error) []byte {
	body := map[string]any{}
	var detail map[string]json.RawMessage
	if json.Unmarshal(e.Detail, &detail) == nil {
		for name, value := range detail {
			body[name] = value
		}
	}
	body["type"] = "about:blank"
	body["title"] = http.StatusText(status)
	body["status"] = status
	body["code"] = e.Code
	body["detail"] = e.Message
	if e.Hint != "" {
		body["hint"] = e.Hint
	}
	if e.Reason != "" {
		body["reason"] = e.Reason
	}
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Appendf(nil, `{"type":"about:blank","status":%d,"code":"%s"}`, status, e.Code)
	}
	return text
}

// wantsPage tells a browser that goes to a page from a program.
func wantsPage(r *http.Request) bool {
	return !strings.HasPrefix(r.URL.Path, "/api/") && strings.Contains(r.Header.Get("Accept"), "text/html")
}
