package hub

import (
	"fmt"
	"testing"
)

// FuzzCursor: a cursor is taken only as it is written.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{
		``, `.`, `812.9f3a2c1b04d7e6aa`, `0.9f3a2c1b04d7e6aa`, `01.9f3a2c1b04d7e6aa`, `-1.9f3a2c1b04d7e6aa`, `1.9F3A2C1B04D7E6AA`,
		`9223372036854775807.0000000000000000`, `9223372036854775808.0000000000000000`, "1.9f3a2c1b04d7e6aa\n", `١.9f3a2c1b04d7e6aa`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		seq, ok := parseCursor(text)
		if !ok {
			return
		}
		if again := fmt.Sprintf("%d.%s", seq, text[len(text)-hashDigits:]); again != text {
			t.Errorf("%q is taken as %q", text, again)
		}
	})
}
