package audit

import "strings"

// The kinds of events that tell of comments. What was said is not on the tape.
const (
	commented      = "commented"
	commentRemoved = "comment_removed"
)

const talkFollows = "a comment is removed once, after it was made"

// talk moves nothing: neither status nor shares nor credits.
func (m *market) talk(e Event, b *body) {
	author, known := m.comments[b.id]
	switch {
	case e.Kind == commented && !known:
		m.comments[b.id] = m.person(b.account)
	case e.Kind == commentRemoved && known && author == b.account && b.actor != "":
		delete(m.comments, b.id)
	default:
		m.found.at(e, talkFollows, "%s of comment %d by %.40q", e.Kind, b.id, b.account)
	}
}

// person remembers an account that the house's tape must know, and gives its handle to keep.
func (m *market) person(handle string) string {
	m.holder(handle)
	return strings.Clone(handle)
}
