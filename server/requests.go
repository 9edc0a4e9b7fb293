package server

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

const maxBody = 64 << 10

// decode reads the body: one JSON object with no member that into does not have. When it has been
// read, its deadline, which begin has set, is off.
// Errors: code, with what is wrong; 413 when it is longer than maxBody, 408 when it comes too slowly.
func decode(c echo.Context, into any, code db.Code) error {
	d := json.NewDecoder(http.MaxBytesReader(c.Response().Writer, c.Request().Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, err = d.Token(); err == nil {
			return db.Errorf(code, "malformed body: something follows its JSON object")
		}
	}
	var tooLong *http.MaxBytesError
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF) && d.InputOffset() > 0:
		_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Time{})
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return echo.NewHTTPError(http.StatusRequestTimeout, "the body came too slowly")
	case errors.As(err, &tooLong):
		return echo.NewHTTPError(http.StatusRequestEntityTooLarge, "the body is longer than 64 KiB")
	case errors.As(err, &mistyped):
		return db.Errorf(code, "malformed body: %s cannot be of the JSON type %s", cmp.Or(mistyped.Field, "it"), mistyped.Value)
	}
	return db.Errorf(code, "malformed body: %w", err)
}

// whole reads a whole number of a query, from least to most; fallback when there is none.
func whole(c echo.Context, name string, least, most, fallback int) (int, error) {
	text := c.QueryParam(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, db.Errorf(db.InvalidRequest, "%s must be a whole number from %d to %d", name, least, most)
	}
	return n, nil
}

// moment reads a time of a query; nil when there is none.
func moment(c echo.Context, name string) (*time.Time, error) {
	text := c.QueryParam(name)
	if text == "" {
		return nil, nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil, db.Errorf(db.InvalidRequest, "%s must be a time as in 2006-01-02T15:04:05Z (RFC 3339)", name)
	}
	return &at, nil
}

// decimal reads a number of a query; empty when there is none.
func decimal(c echo.Context, name string) (db.Decimal, error) {
	text := c.QueryParam(name)
	if text == "" {
		return "", nil
	}
	return db.ParseDecimal(text)
}
