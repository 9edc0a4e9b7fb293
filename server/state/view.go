package state

import (
	"sync"

	"github.com/pgtape/pgtape/audit/lmsr"
	"github.com/pgtape/pgtape/db"
)

// View is a market at one version, for everybody who asks: nothing of it may be changed.
type View struct {
	Market db.Market
	ETag   string // the cursor, in quotes
	Body   []byte // the market as JSON, and a line feed

	once  sync.Once
	frame []byte

	makerMu   sync.Mutex
	maker     *lmsr.Maker // nil: nobody has asked for a quote
	liquidity int64       // in micro-units
}

func newView(m db.Market) (*View, error) {
	text, err := m.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return &View{Market: m, ETag: `"` + m.Cursor + `"`, Body: append(text, '\n')}, nil
}

// JSON is the market without the line feed.
func (v *View) JSON() []byte { return v.Body[: len(v.Body)-1 : len(v.Body)-1] }

// Frame is what the first call has made of the view.
func (v *View) Frame(build func(*View) []byte) []byte {
	v.once.Do(func() { v.frame = build(v) })
	return v.frame
}
