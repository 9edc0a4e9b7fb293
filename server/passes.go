package server

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/pgtape/pgtape/db"
)

const (
	// passLife is how long a session or a key is taken on trust after the database has confirmed it, so
	// that a trade need not ask again. What ends on this node ends at once, on another after so long;
	// so does a role that is taken away.
	passLife = 10 * time.Second

	maxPasses = 100_000
)

// passes remembers whose the sessions and keys are that were used lately. What is done with one names
// the account by its id: when its owner has left, another node may not know for a while, and the handle
// may be somebody else's.
type passes struct {
	mu    sync.Mutex
	known *simplelru.LRU[db.Hash, pass] // by the hash of the token or key
}

func newPasses() *passes {
	known, _ := simplelru.NewLRU[db.Hash, pass](maxPasses, nil) // the error is of a size that is none
	return &passes{known: known}
}

type pass struct {
	caller // without a handle: withdrawn
	until  time.Time
}

// caller finds who a token or key is of, asking only if it is not known.
func (p *passes) caller(ctx context.Context, secret string, ask func(context.Context, string) (caller, error)) (caller, error) {
	key, now := db.Hash(db.TokenHash(secret)), time.Now()
	p.mu.Lock()
	known, ok := p.known.Get(key)
	p.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.answer()
	}
	who, err := ask(ctx, secret)
	if err != nil {
		return caller{}, err
	}
	return p.note(key, pass{who, now.Add(passLife)}).answer()
}

// peek finds who a token or key is of, if that is known. It asks nobody.
func (p *passes) peek(secret string) (who caller, known bool) {
	key, now := db.Hash(db.TokenHash(secret)), time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	found, ok := p.known.Get(key)
	return found.caller, ok && found.Handle != "" && now.Before(found.until)
}

// withdraw forgets sessions and keys that the database has ended, also for whoever has just asked.
func (p *passes) withdraw(ended ...db.Hash) {
	for _, key := range ended {
		p.note(key, pass{until: time.Now().Add(passLife)})
	}
}

// forget has everything of an account asked for again.
func (p *passes) forget(account int64) {
	p.replace(account, func(key db.Hash) { p.known.Remove(key) })
}

// forgetAccount ends all sessions of an account.
func (p *passes) forgetAccount(account int64) {
	p.replace(account, func(key db.Hash) { p.known.Add(key, pass{until: time.Now().Add(passLife)}) })
}

// replace goes through what is known of an account.
func (p *passes) replace(account int64, change func(key db.Hash)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range p.known.Keys() {
		if known, _ := p.known.Peek(key); known.ID == account {
			change(key)
		}
	}
}

// note remembers a pass, unless it has been withdrawn, and returns the one that is in force.
func (p *passes) note(key db.Hash, new pass) pass {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old, ok := p.known.Peek(key); ok && old.Handle == "" && time.Now().Before(old.until) {
		return old
	}
	p.known.Add(key, new)
	return new
}

func (p pass) answer() (caller, error) {
	if p.Handle == "" {
		return caller{}, notSignedIn()
	}
	return p.caller, nil
}
