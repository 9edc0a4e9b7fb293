package booktest

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/pgtape/pgtape/db"
)

// talk comments on a market as anybody, in anybody's name, and sometimes takes it back.
func (p *program) talk(t *rapid.T) {
	who, slug, handle, words := pick(t, "caller", p.doors.all()...), p.anyMarket(t, p.book.statuses()...).slug, "", drawReason(t)
	if rapid.Bool().Draw(t, "named") {
		handle = p.anyHandle(t)
	}
	got, err := who.Comment(p.ctx, db.NewComment{Market: slug, Body: words, Account: handle})
	author, code := p.book.comment(*who, slug, words, handle, got.ID)
	p.answered(t, err, code, "comment(%q, %.20q, %q) as %s", slug, words, handle, who.login)
	if code != "" || !odds(t, 3, "removed") {
		return
	}
	who, reason := pick(t, "remover", p.doors.all()...), drawReason(t)
	err = who.RemoveComment(p.ctx, got.ID, reason, "")
	code = p.book.removeComment(*who, slug, author, reason, got.ID)
	p.answered(t, err, code, "remove_comment(%d, %.20q) as %s", got.ID, reason, who.login)
}

// statuses are those of its markets.
func (b *book) statuses() []string {
	var all []string
	for _, m := range b.markets {
		if !slices.Contains(all, m.status) {
			all = append(all, m.status)
		}
	}
	return all
}

func (b *book) comment(who caller, slug, words, handle string, id int64) (*account, db.Code) {
	author, code := b.actingFor(who, handle)
	switch {
	case code != "":
		return nil, code
	case author == nil:
		return nil, db.NotFound
	case !goodReason(words):
		return nil, db.InvalidRequest
	}
	b.market(slug).announce("commented", object{"commented": object{"id": float64(id), "account": author.handle}})
	return author, ""
}

func (b *book) removeComment(who caller, slug string, author *account, reason string, id int64) db.Code {
	switch {
	case who.account == author:
	case !who.operator:
		return db.NotPermitted
	case !goodReason(reason):
		return db.InvalidRequest
	}
	b.market(slug).announce("comment_removed", object{"comment_removed": object{
		"id": float64(id), "account": author.handle, "actor": who.name(),
	}})
	return ""
}
