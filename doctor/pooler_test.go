package doctor_test

import (
	"context"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// pooled puts a small pooler in front of a Postgres, which works as PgBouncer does: it gives its
// clients a key of its own, and a session of the server's for a transaction or as long as they stay.
func pooled(t *testing.T, database string, transactions bool) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &pooler{database: database, transactions: transactions}
	var wait sync.WaitGroup
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wait.Go(func() {
				defer conn.Close()
				end := context.AfterFunc(ctx, func() { conn.Close() })
				defer end()
				_ = p.serve(ctx, conn) // an error: the client has gone
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		stop()
		wait.Wait()
		for _, session := range p.free {
			session.Close(context.WithoutCancel(ctx))
		}
	})
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.Host, u.RawQuery = listener.Addr().String(), "sslmode=disable"
	return u.String()
}

type pooler struct {
	database     string
	transactions bool

	mu   sync.Mutex
	free []*pgconn.PgConn // the one used last is taken first
}

func (p *pooler) take(ctx context.Context) (*pgconn.PgConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		session := p.free[n-1]
		p.free = p.free[:n-1]
		return session, nil
	}
	return pgconn.Connect(ctx, p.database)
}

func (p *pooler) give(session *pgconn.PgConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, session)
}

func (p *pooler) serve(ctx context.Context, conn net.Conn) error {
	client := pgproto3.NewBackend(conn, conn)
	if _, err := client.ReceiveStartupMessage(); err != nil {
		return err
	}
	client.Send(&pgproto3.AuthenticationOk{})
	for name, value := range map[string]string{"standard_conforming_strings": "on", "client_encoding": "UTF8"} {
		client.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	client.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte("keys")})
	client.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if err := client.Flush(); err != nil {
		return err
	}
	var session *pgconn.PgConn
	defer func() {
		if session == nil {
			return
		}
		if !p.transactions { // which PgBouncer leaves as they are
			_ = session.Exec(context.WithoutCancel(ctx), "discard all").Close() // an error: the next user has it
		}
		p.give(session)
	}()
	for {
		message, err := client.Receive()
		if err != nil {
			return err
		}
		if _, ends := message.(*pgproto3.Terminate); ends {
			return nil
		}
		if session == nil {
			if session, err = p.take(ctx); err != nil {
				return err
			}
		}
		server := session.Frontend()
		server.Send(message)
		if err := server.Flush(); err != nil {
			return err
		}
		switch message.(type) {
		case *pgproto3.Sync, *pgproto3.Query:
			idle, err := answer(client, server)
			if err != nil {
				return err
			}
			if idle && p.transactions {
				p.give(session)
				session = nil
			}
		}
	}
}

// answer carries what the server says until it is ready for more.
func answer(client *pgproto3.Backend, server *pgproto3.Frontend) (idle bool, err error) {
	for {
		message, err := server.Receive()
		if err != nil {
			return false, err
		}
		client.Send(message)
		if ready, ok := message.(*pgproto3.ReadyForQuery); ok {
			return ready.TxStatus == 'I', client.Flush()
		}
	}
}
