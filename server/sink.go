package server

import (
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server/cache"
	"github.com/pgtape/pgtape/server/hub"
	"github.com/pgtape/pgtape/server/state"
)

// Sink is where the tape reader delivers: every event is encoded here, once for all who watch.
func (s *Server) Sink() tape.Sink { return sink{s.hub, s.state, s.reads, s.texts} }

// sink tells the cache and the state before the hub: what is asked for is never older than what has been sent.
type sink struct {
	hub   *hub.Hub
	state *state.Markets
	reads *cache.Cache
	texts *texts
}

func (s sink) Publish(event tape.Event) {
	e := s.texts.readable(event)
	s.reads.Publish(e.Event)
	s.state.Publish(e.Event)
	s.hub.Publish(hub.Event{
		Market: e.Market, Seq: e.Seq, Cursor: e.Head().String(), Frame: eventFrame(e), Quote: quoteFrame(e),
	})
}

func (s sink) Reset(market string, head tape.Head) {
	s.reads.Reset(market, head)
	s.state.Reset(market, head)
	cursor := ""
	if head.Seq > 0 {
		cursor = head.String()
	}
	s.hub.Reset(market, cursor, head.Seq)
}

var states = map[tape.State]hub.State{tape.Live: hub.Live, tape.CatchingUp: hub.CatchingUp, tape.Lost: hub.Lost}

func (s sink) SetState(state tape.State) {
	s.reads.SetState(state)
	s.state.SetState(state)
	s.hub.SetState(states[state])
}
