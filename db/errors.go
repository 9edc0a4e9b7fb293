package db

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgtape/pgtape/db/hosts"
)

// Code is the word by which programs know what was refused. The functions of the database raise
// it; the ones below the line are ours.
type Code string

// The codes that callers rely on.
const (
	StaleQuote          Code = "stale_quote"
	MarketNotOpen       Code = "market_not_open"
	InsufficientFunds   Code = "insufficient_funds"
	InsufficientShares  Code = "insufficient_shares"
	DeadlinePassed      Code = "deadline_passed"
	IdempotencyMismatch Code = "idempotency_mismatch"
	NotFound            Code = "not_found"
	InvalidOrder        Code = "invalid_order"
	NotPermitted        Code = "not_permitted"
	AlreadyExists       Code = "already_exists"
	InvalidRequest      Code = "invalid_request"

	NotConfirmed    Code = "not_confirmed"
	AccountChanged  Code = "account_changed"
	NotSignedIn     Code = "not_signed_in"
	CursorUnknown   Code = "cursor_unknown"
	TooManyRequests Code = "too_many_requests"
	Unavailable     Code = "unavailable" // Postgres cannot be reached, was lost, or is overloaded
	Internal        Code = "internal"
)

// Error is what a caller may be told: a code for programs, words for people, what to do next, and
// the facts (a fresh quote, say).
type Error struct {
	Code    Code
	Message string
	Hint    string
	Detail  json.RawMessage // a JSON object, or nil
	// Of Unavailable: why, as a word for programs, and when it is worth to try again. 0: nobody knows.
	Reason     string
	RetryAfter time.Duration
	// Said is what Postgres, or the network, says of it: for whoever runs the server. It may name logins,
	// files and hosts, and callers over HTTP are told the other fields alone.
	Said  string
	cause error
}

// Error is for logs and the command line: Message, and what was said of it.
func (e *Error) Error() string {
	if e.Said == "" {
		return e.Message
	}
	return e.Message + ": " + e.Said
}

func (e *Error) Unwrap() error { return e.cause }

// Errorf makes an Error; a %w in the format becomes its cause.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), cause: errors.Unwrap(err)}
}

// CodeOf tells what an error is to a caller: empty for nil, Internal for what is not an Error.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// refusal turns what Postgres says into what a caller may be told: sqlstate.go has the table. A
// connection that cannot be had is nobody's.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	pg := pgErrorOf(err)
	var none *hosts.NoServer
	if errors.As(err, &none) || errors.Is(err, hosts.ErrStandby) || errors.Is(err, hosts.ErrOld) {
		return noServer(err)
	}
	if pg == nil {
		return lost(err)
	}
	if code, ok := codes[pg.Code]; ok {
		e := &Error{Code: code, Message: pg.Message, Hint: pg.Hint, cause: err}
		if json.Valid([]byte(pg.Detail)) {
			e.Detail = json.RawMessage(pg.Detail)
		}
		return e
	}
	switch c, _ := conditionOf(pg.Code); c.code {
	case InvalidRequest:
		return &Error{Code: InvalidRequest, Message: pg.Message, Hint: pg.Hint, cause: err}
	case Unavailable:
		return &Error{
			Code: Unavailable, Message: c.message, Said: pg.Message, Hint: c.hint,
			Reason: c.reason, RetryAfter: c.after, cause: err,
		}
	}
	if isConnectError(err) {
		return &Error{
			Code: Unavailable, Message: "the database gives no connection", Said: pg.Message, Hint: "try again in a moment",
			Reason: ReasonUnreachable, RetryAfter: time.Second, cause: err,
		}
	}
	return err
}

// noServer is refusal where none of the servers of the URL will do. If one of them has said why, that is
// the reason; else they are standbys.
func noServer(err error) *Error {
	e := &Error{Code: Unavailable, Message: "no server of the database takes writes now", Hint: "try again", cause: err}
	e.Reason, e.RetryAfter = ReasonReadOnly, time.Second
	if pg := pgErrorOf(err); pg != nil {
		e.Reason = ReasonUnreachable
		if c, _ := conditionOf(pg.Code); c.code == Unavailable {
			e.Reason, e.Hint = c.reason, c.hint
		}
	} else if isConnectError(err) {
		e.Reason = ReasonUnreachable
	}
	return e
}

// lost is refusal where Postgres said nothing.
func lost(err error) error {
	var own *Error
	switch {
	case errors.As(err, &own):
		return err
	case isConnectError(err), pgconn.SafeToRetry(err):
		return &Error{
			Code: Unavailable, Message: "the database cannot be reached", Hint: "try again",
			Reason: ReasonUnreachable, RetryAfter: time.Second, cause: err,
		}
	case pgconn.Timeout(err), brokenConnection(err):
		return &Error{
			Code: Unavailable, Message: "the database was lost before it had answered: what was asked for may or may not be done",
			Hint: "ask again; what has an idempotency key is done once", Reason: ReasonLost, RetryAfter: time.Second, cause: err,
		}
	}
	return err
}

// brokenConnection says whether a connection ended under a statement.
func brokenConnection(err error) bool {
	var network *net.OpError
	return errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed)
}

func pgErrorOf(err error) *pgconn.PgError {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg
	}
	return nil
}
