package tape

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
)

// A sign of life through the WAL is a place in it: a small transaction is committed, which is for
// nobody, and when the server has come past it, it has sent us all that was committed before. The
// messages that anybody may write to the WAL (pg_logical_emit_message, of any size) are not asked for.
type walProbe struct {
	id string        // empty: none is under way
	at pglogrepl.LSN // 0: not known yet
}

// While a probe is under way: how often we look whether it has come back, and ask the server.
const (
	lookEvery = 5 * time.Millisecond
	askEvery  = 100 * time.Millisecond
)

// probePrefix marks our transactions for whoever reads the WAL. They also let the slot advance while
// markets are quiet.
const probePrefix = "pgtape"

// commitsWait is an expression: whether commits wait for standbys.
const commitsWait = "pg_catalog.current_setting('synchronous_standby_names') <> ''"

func (s *walStream) probe(ctx context.Context, table *pgx.Conn, id string) (synchronous bool, err error) {
	s.setProbe(walProbe{id: id})
	var text string
	err = table.QueryRow(ctx, "select pg_catalog.pg_logical_emit_message(true, $1, '')::text, "+commitsWait, probePrefix).Scan(&text, &synchronous)
	if err != nil {
		return false, fmt.Errorf("writing a sign of life to the WAL: %w", err)
	}
	at, err := pglogrepl.ParseLSN(text)
	if err != nil {
		return false, fmt.Errorf("writing a sign of life to the WAL: %w", err)
	}
	s.setProbe(walProbe{id: id, at: at})
	return synchronous, nil
}

func (s *walStream) setProbe(p walProbe) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = p
}

func (s *walStream) probing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked.id != ""
}

// answerProbe hands on the sign of life if the server has come past it.
func (s *walStream) answerProbe(ctx context.Context) error {
	s.mu.Lock()
	p := s.asked
	back := p.id != "" && p.at != 0 && s.received >= p.at
	if back {
		s.asked = walProbe{}
	}
	s.mu.Unlock()
	if !back {
		return nil
	}
	return s.hand(ctx, signal{alive: p.id})
}
