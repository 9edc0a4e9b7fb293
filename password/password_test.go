package password

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestAPasswordIsKnownByItsHash(t *testing.T) {
	t.Parallel()
	h := NewHasher(2)
	for _, secret := range []string{"correct horse battery", "pässwörter €", strings.Repeat("x1", 100)} {
		phc, err := h.Hash(t.Context(), secret)
		if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Fatalf("%q: %v", phc, err)
		}
		hidden := phc[:strings.LastIndex(phc, "$")+1] + strings.Repeat("A", 43)
		if again, outdated, err := h.Again(t.Context(), secret, hidden); again != phc || outdated || err != nil {
			t.Errorf("the right password: %v %v %v, want %v", again, outdated, err, phc)
		}
		if again, _, err := h.Again(t.Context(), secret+" ", phc); again == phc || err != nil {
			t.Errorf("a wrong password: %v %v", again, err)
		}
	}
	if again, _, err := h.Again(t.Context(), "", ""); again == "" || again == h.none || err != nil {
		t.Errorf("no password is right where there is none: %v %v", again, err)
	}
}

func TestAHashOfOtherParametersIsOutdated(t *testing.T) {
	t.Parallel()
	h := NewHasher(1)
	salt := []byte("0123456789abcdef")
	key, err := h.key(t.Context(), "correct horse", salt, 8192, 1, 1, 32)
	if err != nil {
		t.Fatal(err)
	}
	of := phc(8192, 1, 1, salt, key)
	if again, outdated, err := h.Again(t.Context(), "correct horse", of); again != of || !outdated || err != nil {
		t.Errorf("%v, want %v, outdated %v, %v", again, of, outdated, err)
	}
	for _, broken := range []string{"plain", "$argon2i$v=19$m=1,t=1,p=1$YQ$YQ", "$argon2id$v=19$m=19456,t=2,p=1$YQ", "$argon2id$v=19$m=19456,t=2,p=1$!$YQ"} {
		if again, _, err := h.Again(t.Context(), "plain", broken); again != "" || err == nil {
			t.Errorf("%s: %v %v", broken, again, err)
		}
	}
}

func TestWhoWaitsForATurnMayLeave(t *testing.T) {
	t.Parallel()
	h := NewHasher(1)
	if err := h.turns.Take(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(ctx, "correct horse"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

func TestWeakPasswordsAreNamed(t *testing.T) {
	t.Parallel()
	for secret, part := range map[string]string{
		"": "too short", "1234567": "too short", "Password1": "first", "QWERTYUIOP": "first", "somebody": "first",
		"zzzzzzzzzz": "first", strings.Repeat("ab", 101): "longer", "\xff\xfe12345678": "UTF-8",
		"correct horse": "", "ünïcödé": "too short", "ünïcödés": "",
		"u\u0308nico\u0308de\u0301": "too short", "ππππππππ": "first", "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301": "first", "        ": "first", "\u3000\u3000\u3000\u3000\u3000\u3000\u3000\u3000": "first",
		"half \ufffd character": "UTF-8", "pass\xffword1": "UTF-8",
	} {
		fault := Fault(secret, "Somebody")
		if part == "" && fault != "" || !strings.Contains(fault, part) {
			t.Errorf("%q: %q, want %q", secret, fault, part)
		}
	}
}

// The same password, as one keyboard and another type it.
func TestAPasswordIsTheSameInEveryNormalForm(t *testing.T) {
	t.Parallel()
	h := NewHasher(2)
	for _, same := range [][2]string{
		{"Möbelstück", "Mo\u0308belstu\u0308ck"},
		{"한국어 비밀번호", "\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165 \u1107\u1175\u1106\u1175\u11af\u1107\u1165\u11ab\u1112\u1169"},
		{"three plain words", "three\u00a0plain\u3000words"},
		{"Ångström unit", "\u212bngström unit"},
	} {
		phc, err := h.Hash(t.Context(), same[1])
		if err != nil {
			t.Fatal(err)
		}
		for _, typed := range same {
			if again, _, err := h.Again(t.Context(), Spellings(typed)[0], phc); again != phc || err != nil {
				t.Errorf("%+q is not %+q: %v", typed, same[1], err)
			}
		}
	}
	// Cases, and letters that look the same, are others: a password is not a name.
	for _, other := range [][2]string{{"straße am see", "STRASSE AM SEE"}, {"ﬁne password", "fine password"}, {"раssword nine", "password nine"}} {
		if Prepared(other[0]) == Prepared(other[1]) {
			t.Errorf("%+q is as good as %+q", other[0], other[1])
		}
	}
}
