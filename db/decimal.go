package db

import (
	"bytes"
	"encoding/json"
	"regexp"
)

// Decimal is an exact number as text: credits and shares with 6 decimals, prices with 12. Empty
// means none was given. It is a string in JSON; a JSON number is read as it is written.
type Decimal string

// decimalForm leaves out exponents, NaN and what is too long to be a number of anything here.
var decimalForm = regexp.MustCompile(`^-?[0-9]{1,30}(\.[0-9]{1,40})?$`)

// ParseDecimal reads a number from a query or a flag.
// Errors: InvalidOrder for what is not a plain decimal number.
func ParseDecimal(text string) (Decimal, error) {
	if !decimalForm.MatchString(text) {
		return "", Errorf(InvalidOrder, "%.40q is not a decimal number", text)
	}
	return Decimal(text), nil
}

// UnmarshalJSON reads a string or a number; null is none.
func (d *Decimal) UnmarshalJSON(data []byte) error {
	text := string(data)
	if bytes.HasPrefix(data, []byte(`"`)) {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
	} else if text == "null" {
		*d = ""
		return nil
	}
	parsed, err := ParseDecimal(text)
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// arg is the number as an argument of a statement.
func (d Decimal) arg() any {
	if d == "" {
		return nil
	}
	return string(d)
}

// ByOutcome is one number for each outcome of a market, in the order of its outcomes, which JSON
// keeps.
type ByOutcome struct {
	Outcomes []string
	Numbers  []Decimal
}

// MarshalJSON writes an object, or null where there are no numbers.
func (b ByOutcome) MarshalJSON() ([]byte, error) {
	if b.Numbers == nil {
		return []byte("null"), nil
	}
	var out bytes.Buffer
	out.WriteByte('{')
	for i, outcome := range b.Outcomes {
		if i > 0 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(outcome)
		if err != nil {
			return nil, err
		}
		out.Write(name)
		out.WriteString(`:"` + string(b.Numbers[i]) + `"`)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// UnmarshalJSON reads the object back, in its order.
func (b *ByOutcome) UnmarshalJSON(data []byte) error {
	*b = ByOutcome{}
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	b.Numbers = []Decimal{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var number Decimal
		if err := decoder.Decode(&number); err != nil {
			return err
		}
		outcome, ok := name.(string)
		if !ok || number == "" {
			return Errorf(InvalidRequest, "not an object of numbers by outcome")
		}
		b.Outcomes = append(b.Outcomes, outcome)
		b.Numbers = append(b.Numbers, number)
	}
	return nil
}

// Of returns the number of one outcome; empty if there is no such outcome.
func (b ByOutcome) Of(outcome string) Decimal {
	for i, name := range b.Outcomes {
		if name == outcome && i < len(b.Numbers) {
			return b.Numbers[i]
		}
	}
	return ""
}
