// Package pgtime reads times from Postgres that Go, JSON and JavaScript can say too. Postgres knows
// infinity, years before Christ and years up to 294276; encoding/json fails on a year above 9999, and
// pgx on infinity: one such row would take every list with it that it stands in.
package pgtime

import (
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// First and Last are what everything before and after them is read as.
var (
	First = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	Last  = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
)

// Clamp gives the nearest time from First to Last.
func Clamp(at time.Time) time.Time {
	switch {
	case at.Before(First):
		return First
	case at.After(Last):
		return Last
	}
	return at
}

// Register makes a connection read every timestamptz clamped.
func Register(types *pgtype.Map) {
	types.RegisterType(&pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &codec{}})
}

// codec is pgx's own, but for what it hands to the scanner.
type codec struct{ pgtype.TimestamptzCodec }

func (c *codec) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	plan := c.TimestamptzCodec.PlanScan(m, oid, format, target)
	if plan == nil {
		return nil
	}
	return clamped{plan}
}

type clamped struct{ pgtype.ScanPlan }

func (p clamped) Scan(src []byte, target any) error {
	return p.ScanPlan.Scan(src, clamping{target.(pgtype.TimestamptzScanner)})
}

type clamping struct{ pgtype.TimestamptzScanner }

func (s clamping) ScanTimestamptz(v pgtype.Timestamptz) error {
	if v.Valid {
		switch v.InfinityModifier {
		case pgtype.Infinity:
			v.Time = Last
		case pgtype.NegativeInfinity:
			v.Time = First
		default:
			v.Time = Clamp(v.Time)
		}
		v.InfinityModifier = pgtype.Finite
	}
	return s.TimestamptzScanner.ScanTimestamptz(v)
}

// beyond is the text form, in ISO, of what time.Parse cannot read.
var beyond = regexp.MustCompile(`^(-infinity$|infinity$|[0-9]{5,6}-)|( BC)$`)

// Parse reads the text form that Postgres gives a timestamptz in the DateStyle ISO, clamped.
func Parse(text string) (time.Time, error) {
	if form := beyond.FindString(text); form == "-infinity" || strings.HasSuffix(form, " BC") {
		return First, nil
	} else if form != "" {
		return Last, nil
	}
	at, err := time.Parse("2006-01-02 15:04:05.999999Z07", text)
	return Clamp(at), err
}
