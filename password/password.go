// Package password hashes passwords, and refuses those that are no secret.
package password

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/pgtape/pgtape/fairqueue"
)

// What a password may be long, in characters.
const (
	MinLength = 8
	MaxLength = 200
)

// Parameters of argon2id as OWASP recommends them: 19 MiB, two passes, one lane.
const (
	memory  = 19456
	passes  = 2
	lanes   = 1
	saltLen = 16
	keyLen  = 32
)

// The commonest passwords of this length, one a line, in lower case.
//
//go:embed common.txt
var commonText string

// Fault says why a password of somebody is too weak; empty: it is not.
func Fault(password, handle string) string {
	password = Prepared(password)
	length := utf8.RuneCountInString(password)
	plain := strings.ToLower(strings.TrimSpace(password))
	switch {
	case !utf8.ValidString(password), strings.ContainsRune(password, utf8.RuneError):
		return "the password is not UTF-8"
	case length < MinLength:
		return fmt.Sprintf("the password is too short: use %d characters or more, a few words, say", MinLength)
	case length > MaxLength:
		return fmt.Sprintf("the password is longer than %d characters", MaxLength)
	case plain == strings.ToLower(handle), isOneCharacter(plain), isCommon(plain):
		return "this password is among the first that anybody would try: choose another"
	}
	return ""
}

// Prepared is a password as it is hashed: in the normal form NFC and with plain spaces, as RFC 8265 has
// it (OpaqueString), so that one who types it on another keyboard types the same.
func Prepared(password string) string {
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, password))
}

// Spellings are what a password that somebody types may have been hashed as: prepared, or, by earlier
// versions, as it was typed.
func Spellings(password string) []string {
	if prepared := Prepared(password); prepared != password {
		return []string{prepared, password}
	}
	return []string{password}
}

// isOneCharacter tells whether a text is nothing, or one character again and again.
func isOneCharacter(text string) bool {
	first, size := utf8.DecodeRuneInString(text)
	return size == 0 || strings.Trim(text, string(first)) == ""
}

func isCommon(plain string) bool {
	for line := range strings.Lines(commonText) {
		if strings.TrimSpace(line) == plain {
			return true
		}
	}
	return false
}

// Hasher hashes passwords, a few at a time: each takes 19 MiB and some 20 ms of a core.
type Hasher struct {
	turns *fairqueue.Queue
	none  string // a hash that no password has
}

const (
	maxOfClient = 8   // passwords that may wait to be hashed
	maxWaiting  = 512 // in all
)

// NewHasher makes a Hasher for as many passwords at a time.
func NewHasher(atATime int) *Hasher {
	return &Hasher{
		turns: fairqueue.New(fairqueue.Options{AtOnce: atATime, Each: maxOfClient, All: maxWaiting}),
		none:  phc(memory, passes, lanes, random(saltLen), random(keyLen)),
	}
}

// Hash makes the PHC string of a password, prepared. It waits for a turn of ctx's client, until ctx ends.
// Errors: fairqueue.ErrBusy.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := random(saltLen)
	key, err := h.key(ctx, Prepared(password), salt, memory, passes, lanes, keyLen)
	if err != nil {
		return "", err
	}
	return phc(memory, passes, lanes, salt, key), nil
}

// Again makes the PHC string of a password, as it is spelled, by the parameters, the salt and the length of another, whose
// hash may be left out by writing A for each of its letters: the password is right if it is what is
// kept. outdated: the parameters are no longer ours. An empty string is of no password, which takes as
// long to find.
func (h *Hasher) Again(ctx context.Context, password, of string) (again string, outdated bool, err error) {
	if of == "" {
		of = h.none
	}
	var version, m, t, p int
	var rest string
	if _, err := fmt.Sscanf(of, "$argon2id$v=%d$m=%d,t=%d,p=%d$%s", &version, &m, &t, &p, &rest); err != nil || version != argon2.Version {
		return "", false, fmt.Errorf("a PHC string of another kind: %w", err)
	}
	salt64, key64, _ := strings.Cut(rest, "$")
	salt, err := base64.RawStdEncoding.DecodeString(salt64)
	if err != nil {
		return "", false, fmt.Errorf("the salt of a PHC string: %w", err)
	}
	length := base64.RawStdEncoding.DecodedLen(len(key64))
	if length == 0 {
		return "", false, errors.New("a PHC string without a hash")
	}
	key, err := h.key(ctx, password, salt, uint32(m), uint32(t), uint8(p), uint32(length))
	if err != nil {
		return "", false, err
	}
	outdated = m != memory || t != passes || p != lanes || length != keyLen
	return phc(uint32(m), uint32(t), uint8(p), salt, key), outdated, nil
}

func (h *Hasher) key(ctx context.Context, password string, salt []byte, m, t uint32, p uint8, length uint32) ([]byte, error) {
	if err := h.turns.Take(ctx); err != nil {
		return nil, err
	}
	defer h.turns.Give()
	return argon2.IDKey([]byte(password), salt, t, m, p, length), nil
}

func phc(m, t uint32, p uint8, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, m, t, p, b64.EncodeToString(salt), b64.EncodeToString(key))
}

func random(length int) []byte {
	bytes := make([]byte, length)
	_, _ = rand.Read(bytes) // never fails
	return bytes
}
