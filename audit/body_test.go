package audit

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
)

func TestStringsWithEscapes(t *testing.T) {
	t.Parallel()
	s := &scanner{text: ` { "a\"b\\" : ["x\u00e9\n", "plain"], "n": {"deep":[1,{"x":null}]}, "m":-7 } `}
	var got []string
	for name := range s.members {
		got = append(got, name)
		switch name {
		case `a"b\`:
			for range s.elements {
				got = append(got, s.str())
			}
		case "m":
			got = append(got, s.bare())
		default:
			s.skip()
		}
	}
	want := []string{`a"b\`, "xé\n", "plain", "n", "m", "-7"}
	if s.bad || s.peek() != 0 || len(got) != len(want) {
		t.Fatalf("read %q, bad %v at %d", got, s.bad, s.at)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("read %q, want %q", got[i], want[i])
		}
	}
}

// Whatever stands in a body, reading it ends, and only what JSON is is taken for it.
func TestABodyThatIsNoJSONIsRefused(t *testing.T) {
	t.Parallel()
	const replacements = "{}[]\",:\\0.-nx \n"
	r := rand.New(rand.NewPCG(9, 9))
	var b body
	read := 0
	events := sampleTape().events
	for range 2000 {
		for _, e := range events {
			text := []byte(e.Body)
			for range 1 + r.IntN(3) {
				at := r.IntN(len(text))
				switch r.IntN(8) {
				case 0:
					text = append(text[:at], text[at+1:]...)
				case 1:
					text = text[:at/2+len(text)/2+1]
				default:
					text[at] = replacements[r.IntN(len(replacements))]
				}
			}
			if !b.read(e.Kind, string(text)) {
				continue
			}
			read++
			if !json.Valid(text) {
				t.Fatalf("taken for JSON: %s", text)
			}
		}
	}
	if read == 0 {
		t.Error("every change was refused")
	}
}
