package hub

// jump moves the head over events that were not delivered. Who has not got them joins again from
// where it is, and reads them from History; their clients are returned. Called with topic.mu held.
func (t *topic) jump(seq int64) (stranded []*Client) {
	t.head, t.cursor = seq, ""
	t.ring.restart(seq, "")
	for s := range t.subs {
		if s.mode != Tape || !s.joined || s.pos >= seq {
			continue
		}
		t.unwait(s)
		s.client.mu.Lock()
		if !s.gone {
			s.joined, s.replied = false, false
			s.epoch++
			s.client.joins = append(s.client.joins, s)
		}
		s.client.mu.Unlock()
		stranded = append(stranded, s.client)
	}
	return stranded
}

// reset puts the head elsewhere and makes every subscriber join again from what it has, except
// those who are at the new head, which the hash in its cursor proves to be of its history. It
// returns the exceptions, to be woken, and the clients of the others. Called with topic.mu held.
func (t *topic) reset(seq int64, cursor string) (kept []*subscription, restarted []*Client) {
	t.head, t.cursor = seq, cursor
	t.quote, t.quoted, t.quoteSeq = nil, nil, 0
	t.ring.restart(seq, cursor)
	t.moved()
	for s := range t.subs {
		if s.joined && s.pos == seq && s.cursor == cursor {
			kept = append(kept, s)
			continue
		}
		t.unwait(s)
		s.client.mu.Lock()
		if s.joined && !s.gone {
			s.joined = false
			s.client.joins = append(s.client.joins, s)
		}
		s.restart()
		s.client.mu.Unlock()
		restarted = append(restarted, s.client)
	}
	return kept, restarted
}

// restart voids what the join has read and makes it begin with what the client has. Called with
// the locks of topic and client held.
func (s *subscription) restart() {
	s.epoch++
	if len(s.parts) > 0 {
		s.pos, s.cursor = s.seen, s.has
	}
	s.parts, s.replied = nil, false
	s.signalDrained()
}
