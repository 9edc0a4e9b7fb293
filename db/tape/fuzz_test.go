package tape

import "testing"

// FuzzCursor: a cursor is taken only as it is written.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{
		``, `812.9f3a2c1b04d7e6aa`, `0.9f3a2c1b04d7e6aa`, `01.9f3a2c1b04d7e6aa`, `-1.9f3a2c1b04d7e6aa`, `1.9F3A2C1B04D7E6AA`, `1.9f3a2c1b04d7e6a`,
		`999999999999999999.0000000000000000`, `1000000000000000000.0000000000000000`, "1.9f3a2c1b04d7e6aa\n", `1.9f3a2c1b04d7e6aa.`, `١.9f3a2c1b04d7e6aa`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		head, err := ParseCursor(text)
		if err == nil && (head.String() != text || head.Seq < 1) {
			t.Errorf("%q is taken as %+v", text, head)
		}
	})
}
