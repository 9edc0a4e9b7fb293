package client

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// The codes of an Error.
const (
	CodeStaleQuote          = "stale_quote"
	CodeMarketNotOpen       = "market_not_open"
	CodeInsufficientFunds   = "insufficient_funds"
	CodeInsufficientShares  = "insufficient_shares"
	CodeDeadlinePassed      = "deadline_passed"
	CodeIdempotencyMismatch = "idempotency_mismatch"
	CodeNotFound            = "not_found"
	CodeInvalidOrder        = "invalid_order"
	CodeNotPermitted        = "not_permitted"
	CodeAlreadyExists       = "already_exists"
	CodeInvalidRequest      = "invalid_request"
	CodeNotConfirmed        = "not_confirmed"
	CodeAccountChanged      = "account_changed"
	CodeNotSignedIn         = "not_signed_in"
	CodeCursorUnknown       = "cursor_unknown"
	CodeTooManyRequests     = "too_many_requests"
	CodeUnavailable         = "unavailable"
	CodeInternal            = "internal"
)

// Error is what the server refused.
type Error struct {
	Code    string // for programs; empty if what answered was no pgtape server
	Status  int    // of HTTP; 0 if it came through a socket
	Message string // for people
	Hint    string // what to do
	Quote   *Quote // with CodeStaleQuote: what the order would do now
}

func (e *Error) Error() string { return e.Message }

// final says that asking again will not help.
func (e *Error) final() bool {
	return e.Status/100 == 4 && e.Status != http.StatusTooManyRequests && e.Status != http.StatusRequestTimeout
}

// CodeOf tells the code of an error: empty unless it is an *Error.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// refusal reads problem+json (RFC 9457).
func refusal(status int, answer []byte) *Error {
	var problem struct {
		Code   string `json:"code"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
		Hint   string `json:"hint"`
		Quote  *Quote `json:"quote"`
	}
	if json.Unmarshal(answer, &problem) != nil || problem.Code == "" {
		return &Error{Status: status, Message: fmt.Sprintf("the server answered %d %s", status, http.StatusText(status))}
	}
	return &Error{
		Code: problem.Code, Status: status, Message: cmp.Or(problem.Detail, problem.Title),
		Hint: problem.Hint, Quote: problem.Quote,
	}
}
