package flow

import (
	"errors"
	"math/big"
	"regexp"
	"strings"

	"github.com/pgtape/pgtape/db"
)

// amountForm is a number that is not negative, as spreadsheets and scripts write it. The bounds
// keep sums of micros within 63 bits and the exact arithmetic small.
var amountForm = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,40})?([eE]-?[0-9]{1,2})?$`)

var errNotAmount = errors.New("want a number that is not negative, below a billion")

func parseAmount(text string) (*big.Rat, error) {
	if !amountForm.MatchString(text) {
		return nil, errNotAmount
	}
	amount, ok := new(big.Rat).SetString(text)
	if !ok || amount.Cmp(big.NewRat(1_000_000_000, 1)) >= 0 {
		return nil, errNotAmount
	}
	return amount, nil
}

// roundShares rounds to the nearest 6 decimals, halves up, exactly.
func roundShares(text string) (db.Decimal, error) {
	amount, err := parseAmount(text)
	if err != nil {
		return "", err
	}
	shares := db.Decimal(amount.FloatString(6))
	if microsOf(shares) == 0 {
		return "", errors.New("want at least 0.000001")
	}
	return shares, nil
}

func parsePrice(text string) (db.Decimal, error) {
	price, err := parseAmount(text)
	if err != nil || price.Cmp(big.NewRat(1, 1)) > 0 {
		return "", errors.New("want a price from 0 to 1")
	}
	return db.Decimal(price.FloatString(20)), nil
}

// micros counts millionths of a share.
type micros int64

// microsOf reads what roundShares has written: 6 decimals, below a billion.
func microsOf(shares db.Decimal) micros {
	var m micros
	for _, digit := range strings.Replace(string(shares), ".", "", 1) {
		m = 10*m + micros(digit-'0')
	}
	return m
}

func (m micros) decimal() db.Decimal {
	return db.Decimal(big.NewRat(int64(m), 1_000_000).FloatString(6))
}
