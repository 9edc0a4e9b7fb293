package db

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgtape/pgtape/db/hosts"
)

// sessions are the connections of a pool, with the timeline of the server that each is to; 0: unknown.
type sessions struct {
	mu   sync.Mutex
	open map[*pgx.Conn]uint32
}

// follow has a pool connect to the server that takes writes, and let go of what it has of another:
// idle connections when the tape reader has lost its database, so that nobody is given one that
// may be dead; and when a standby has been promoted, all to the server of before, also those on
// which a statement waits: who waits is told that the database was lost.
func (p *pool) follow(config *pgxpool.Config, servers *hosts.Servers) {
	p.servers = servers
	p.sessions.open = make(map[*pgx.Conn]uint32)
	config.BeforeConnect = servers.BeforeConnect
	config.BeforeClose = p.sessions.remove
	prepare := config.AfterConnect
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		p.sessions.add(conn, 0)
		ctx, cancel := context.WithTimeout(ctx, servers.Patience()) // a pool sets none, and here it is asked
		defer cancel()
		err := prepare(ctx, conn)
		if err != nil { // nobody hears of its end
			p.sessions.remove(conn)
		}
		return err
	}
	servers.WhenLost(func() { p.conns.Reset() })
	servers.WhenReplaced(func(timeline uint32) {
		p.conns.Reset()
		p.sessions.cut(timeline)
	})
}

// become gives up the rights of a login, in one round trip with the question what server this is.
// The server ends a statement whose client is gone by itself, since we cancel none: see detach.go.
const become = `
	set role pgtape_server;
	select pg_catalog.set_config('client_connection_check_interval', '2s', false) where version() !~ 'Visual C|mingw';
	select pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('synchronous_standby_names') <> '', ` + hosts.Timeline

// enlist gives up the rights of the login, and notes to what server a connection is.
func (p *pool) enlist(ctx context.Context, conn *pgx.Conn) error {
	results, err := conn.PgConn().Exec(ctx, become).ReadAll()
	if pgErrorOf(err) != nil { // servers that are only like Postgres know no timeline, nor do standbys
		if err := becomeRole(ctx, conn); err != nil {
			return err
		}
		return p.servers.RefuseStandby(ctx, conn.PgConn())
	}
	if err != nil {
		return err
	}
	row := results[2].Rows[0]
	timeline := hosts.ParseTimeline(string(row[2]))
	if err := p.servers.Use(timeline); err != nil {
		return &Error{
			Code: Unavailable, Message: "the database cannot be reached: " + err.Error(), Hint: "try again",
			Reason: ReasonUnreachable, RetryAfter: time.Second, cause: err,
		}
	}
	p.servers.SetSynchronous(string(row[1]) == "t")
	p.sessions.add(conn, timeline)
	return nil
}

// becomeRole gives up the rights of the login alone.
// Errors: NotPermitted when it is no member of pgtape_server.
func becomeRole(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "set role pgtape_server")
	if pg := pgErrorOf(err); pg != nil && slices.Contains([]string{"42501", "22023", "42704"}, pg.Code) { // no member, or no such role
		return &Error{
			Code: NotPermitted, Message: "the login may not act as pgtape_server", Said: pg.Message,
			Hint: "migrate the database (pgtape migrate up), then: grant pgtape_server to " + pgx.Identifier{conn.Config().User}.Sanitize(), cause: err,
		}
	}
	return err
}

func (s *sessions) add(conn *pgx.Conn, timeline uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[conn] = timeline
}

func (s *sessions) remove(conn *pgx.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}

// cut ends the connections to servers of older timelines.
func (s *sessions) cut(timeline uint32) {
	s.cutIf(func(t uint32) bool { return t != 0 && t < timeline })
}

// cutAll ends all connections, also those on which a statement waits.
func (s *sessions) cutAll() { s.cutIf(func(uint32) bool { return true }) }

func (s *sessions) cutIf(old func(timeline uint32) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn, t := range s.open {
		if old(t) {
			conn.PgConn().Conn().Close() // an error: it has ended already
		}
	}
}
