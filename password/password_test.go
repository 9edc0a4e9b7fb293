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
	} {
		fault := Fault(secret, "Somebody")
		if part == "" && fault != "" || !strings.Contains(fault, part) {
			t.Errorf("%q: %q, want %q", secret, fault, part)
		}
	}
}
