package db

import (
	"bytes"
	"encoding/json"
	"math/big"
	"testing"
)

// FuzzDecimal: what is taken is one plain number, the same by every way in.
func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{
		``, `0`, `-0`, `1.5`, `-1.000001`, `+1`, `.5`, `5.`, `1e5`, `1E400`, `NaN`, `Infinity`, `0x10`, `1_000`, `1,5`, ` 1`, "1\n", "1\x00", `١`, `１`, `00001`,
		`999999999999999999999999999999.9999999999999999999999999999999999999999`, `9999999999999999999999999999999`, `1.00000000000000000000000000000000000000001`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDecimal(text)
		if err != nil {
			if CodeOf(err) != InvalidOrder || d != "" {
				t.Errorf("%q: %q, %v", text, d, err)
			}
			return
		}
		if _, ok := new(big.Rat).SetString(string(d)); !ok || string(d) != text {
			t.Errorf("%q is taken as %q", text, d)
		}
		quoted, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var again Decimal
		if err := json.Unmarshal(quoted, &again); err != nil || again != d {
			t.Errorf("%s is read as %q: %v", quoted, again, err)
		}
	})
}

// FuzzByOutcome: numbers by outcome come back as they were, in their order.
func FuzzByOutcome(f *testing.F) {
	for _, seed := range []string{
		`null`, `{}`, `[]`, `{"yes":"0.5","no":0.5}`, `{"yes":null}`, `{"yes":"1","yes":"2"}`, `{"":""}`, `{"yes":{}}`, `{"yes":1e5}`, `{"\ud800":"1"}`, `"yes"`, `5`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var b, again ByOutcome
		if json.Unmarshal(text, &b) != nil {
			return
		}
		if len(b.Outcomes) != len(b.Numbers) {
			t.Fatalf("%d outcomes, %d numbers", len(b.Outcomes), len(b.Numbers))
		}
		written, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if rewritten, err := json.Marshal(again); err != nil || !bytes.Equal(written, rewritten) {
			t.Errorf("%s, then %s: %v", written, rewritten, err)
		}
	})
}

// FuzzPageCursor: where a list goes on is what a page before has said, or refused.
func FuzzPageCursor(f *testing.F) {
	for _, seed := range []string{``, `!`, `MSByYWlu`, `MSByYWlu=`, formatPage("-9223372036854775808", "rain"), formatPage("0", ""), formatPage("1", "a b"), formatPage("1", "a\x00"), formatPage("99999999999999999999999999", "rain"), formatPage("1e9", "a"), formatPage("NaN", "a"), "KzEgcmFpbg", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5IHI"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		key, slug, err := parsePage(cursor)
		if err != nil && CodeOf(err) != InvalidRequest {
			t.Errorf("refused with %v", err)
		}
		if err == nil && key != nil && formatPage(*key, slug) != cursor {
			t.Errorf("%q is taken as %s %q", cursor, *key, slug)
		}
	})
}
