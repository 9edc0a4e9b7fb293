package server

import (
	"context"
	"time"

	"github.com/pgtape/pgtape/db"
)

// quote tells what an order would do now: from memory what is settled there, digit by digit as the
// database would say it. Refusals are the database's, in its words.
func (s *Server) quote(ctx context.Context, o db.Order) (db.Quote, error) {
	if view, current, err := s.state.Look(ctx, o.Market); err == nil && current {
		if quote, ok := view.Quote(o, time.Now()); ok {
			return quote, nil
		}
	}
	return s.db.Quote(ctx, o)
}
