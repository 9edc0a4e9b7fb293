package tape

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgtape/pgtape/db/hosts"
	"github.com/pgtape/pgtape/db/pgtime"
)

const publication = "pgtape_tape"

// walStream reads commits from the WAL through a temporary logical replication slot, which goes
// with its connection: what survives is the tape table, so a dead reader can fill no disk.
type walStream struct {
	url      string
	servers  *hosts.Servers
	slot     string
	timeline uint32        // that the table is read from; 0: unknown
	stall    time.Duration // how long to wait for a reader that takes nothing

	conn      *pgconn.PgConn
	signals   chan<- signal
	relations map[uint32]*pglogrepl.RelationMessage
	received  pglogrepl.LSN // up to which all has been handed to the reader
	xid       uint64        // of the transaction that is being received

	mu    sync.Mutex
	asked walProbe
}

func newWALStream(url string, servers *hosts.Servers, stall time.Duration) *walStream {
	return &walStream{url: url, servers: servers, slot: "pgtape_" + strings.ToLower(rand.Text()), stall: stall}
}

func (s *walStream) run(ctx context.Context, signals chan<- signal) error {
	conn, err := connectReplication(ctx, s.url, s.servers)
	if err != nil {
		return err
	}
	defer hangUp(ctx, conn)
	// Confirming has no deadline of its own.
	stop := context.AfterFunc(ctx, func() { _ = conn.Conn().SetDeadline(time.Now()) })
	defer stop()
	s.conn, s.signals = conn, signals
	if err := s.sameServer(ctx); err != nil {
		return err
	}

	// Making a slot waits for every open writing transaction of the cluster; the reader tails the
	// table meanwhile, and looks whether the server is still at it.
	made, err := pglogrepl.CreateReplicationSlot(ctx, conn, s.slot, "pgoutput", pglogrepl.CreateReplicationSlotOptions{
		Temporary: true, Mode: pglogrepl.LogicalReplication, SnapshotAction: "NOEXPORT_SNAPSHOT",
	})
	if err != nil {
		return fmt.Errorf("making a replication slot: %w", err)
	}
	s.received, err = pglogrepl.ParseLSN(made.ConsistentPoint)
	if err != nil {
		return fmt.Errorf("making a replication slot: %w", err)
	}
	starting, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if s.xid, err = nextXID(starting, conn); err != nil {
		return fmt.Errorf("reading where transactions stand: %w", err)
	}
	err = pglogrepl.StartReplication(starting, conn, s.slot, s.received, pglogrepl.StartReplicationOptions{
		Mode:       pglogrepl.LogicalReplication,
		PluginArgs: []string{"proto_version '1'", "publication_names '" + publication + "'"},
	})
	if err != nil {
		return fmt.Errorf("starting replication: %w", err)
	}
	if err := s.hand(ctx, signal{ready: true}); err != nil {
		return err
	}
	return s.receive(ctx)
}

// sameServer makes sure that the stream is of the server that the table is read from: behind a name
// or a proxy, another may have taken over in between.
func (s *walStream) sameServer(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	system, err := pglogrepl.IdentifySystem(asking, s.conn)
	if err != nil {
		return fmt.Errorf("asking the server what it is: %w", err)
	}
	if at := uint32(system.Timeline); s.timeline != 0 && at != s.timeline {
		return fmt.Errorf("the stream is of timeline %d and the table of %d: another server has taken over in between", at, s.timeline)
	}
	return nil
}

func (s *walStream) hand(ctx context.Context, sig signal) error {
	return hand(ctx, s.signals, sig, s.stall, s.confirm)
}

// confirmEvery is how often the server hears how far we are, so that it can let WAL go.
const confirmEvery = time.Second

// confirm tells the server how far we are, and asks it how far it is if a sign of life is waited for.
func (s *walStream) confirm(ctx context.Context) error {
	err := pglogrepl.SendStandbyStatusUpdate(ctx, s.conn, pglogrepl.StandbyStatusUpdate{
		WALWritePosition: s.received, ReplyRequested: s.probing(),
	})
	if err != nil {
		return fmt.Errorf("confirming WAL: %w", err)
	}
	return nil
}

// receive hands on what comes. While a sign of life is under way it looks often whether that has come
// back, and asks for it: the server does not say by itself in all versions that it has nothing for us.
func (s *walStream) receive(ctx context.Context) error {
	s.relations = make(map[uint32]*pglogrepl.RelationMessage)
	confirm := time.Now().Add(confirmEvery)
	for {
		now := time.Now()
		if !now.Before(confirm) {
			if err := s.confirm(ctx); err != nil {
				return err
			}
			confirm = now.Add(confirmEvery)
		}
		until := confirm
		if s.probing() {
			until = now.Add(lookEvery)
			if soon := now.Add(askEvery); soon.Before(confirm) {
				confirm = soon
			}
		}
		waiting, cancel := context.WithDeadline(ctx, until)
		message, err := s.conn.ReceiveMessage(waiting)
		cancel()
		asked := false
		if err == nil {
			asked, err = s.handle(ctx, message)
		} else if pgconn.Timeout(err) && ctx.Err() == nil {
			err = nil
		} else {
			err = fmt.Errorf("receiving WAL: %w", err)
		}
		if err == nil {
			err = s.answerProbe(ctx)
		}
		if err != nil {
			return err
		}
		if asked {
			confirm = time.Time{}
		}
	}
}

// handle takes one message of the stream; asked says that the server wants to hear from us.
func (s *walStream) handle(ctx context.Context, message pgproto3.BackendMessage) (asked bool, err error) {
	switch m := message.(type) {
	case *pgproto3.ErrorResponse:
		return false, fmt.Errorf("replication: %w", pgconn.ErrorResponseToPgError(m))
	case *pgproto3.CopyDone:
		return false, errors.New("the server has ended replication")
	case *pgproto3.CopyData:
		switch m.Data[0] {
		case pglogrepl.PrimaryKeepaliveMessageByteID:
			keepalive, err := pglogrepl.ParsePrimaryKeepaliveMessage(m.Data[1:])
			if err != nil {
				return false, fmt.Errorf("keepalive: %w", err)
			}
			s.received = max(s.received, keepalive.ServerWALEnd)
			return keepalive.ReplyRequested, nil
		case pglogrepl.XLogDataByteID:
			data, err := pglogrepl.ParseXLogData(m.Data[1:])
			if err != nil {
				return false, fmt.Errorf("WAL data: %w", err)
			}
			return false, s.decode(ctx, data)
		}
	}
	return false, nil
}

func (s *walStream) decode(ctx context.Context, data pglogrepl.XLogData) error {
	message, err := pglogrepl.Parse(data.WALData)
	if err != nil {
		return fmt.Errorf("decoding WAL: %w", err)
	}
	switch m := message.(type) {
	case *pglogrepl.BeginMessage:
		s.xid = wholeXID(m.Xid, s.xid)
	case *pglogrepl.RelationMessage:
		s.relations[m.RelationID] = m
	case *pglogrepl.InsertMessage:
		event, err := s.event(m)
		if err != nil {
			return err
		}
		return s.hand(ctx, signal{event: &event})
	case *pglogrepl.CommitMessage:
		s.received = max(s.received, m.TransactionEndLSN)
	}
	return nil
}

// nextXID is about where the numbers of transactions stand, as xid8.
func nextXID(ctx context.Context, conn *pgconn.PgConn) (uint64, error) {
	results, err := conn.Exec(ctx, "select pg_snapshot_xmax(pg_current_snapshot())").ReadAll()
	if err != nil {
		return 0, err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return 0, errors.New("no answer")
	}
	return strconv.ParseUint(string(results[0].Rows[0][0]), 10, 64)
}

// wholeXID is the xid8 of these lower 32 bits that is nearest to another.
func wholeXID(low uint32, near uint64) uint64 {
	return near + uint64(int64(int32(low-uint32(near))))
}

// event reads a row of the tape from its text form.
func (s *walStream) event(m *pglogrepl.InsertMessage) (e Event, err error) {
	e.XID = s.xid
	relation, ok := s.relations[m.RelationID]
	if !ok || len(relation.Columns) != len(m.Tuple.Columns) {
		return e, fmt.Errorf("an insert into a relation that was not described: %d", m.RelationID)
	}
	for i, column := range m.Tuple.Columns {
		text := string(column.Data)
		switch relation.Columns[i].Name {
		case "market":
			e.Market = text
		case "seq":
			e.Seq, err = strconv.ParseInt(text, 10, 64)
		case "at":
			e.At, err = pgtime.Parse(text)
		case "kind":
			e.Kind = text
		case "body":
			e.Body = text
		case "prev_hash":
			e.Prev, err = hex.DecodeString(strings.TrimPrefix(text, `\x`))
		case "hash":
			e.Hash, err = hex.DecodeString(strings.TrimPrefix(text, `\x`))
		}
		if err != nil {
			return e, fmt.Errorf("reading %s of an event: %w", relation.Columns[i].Name, err)
		}
	}
	return e, nil
}
