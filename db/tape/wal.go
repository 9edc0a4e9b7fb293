package tape

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

const publication = "pgtape_tape"

// walStream reads commits from the WAL through a temporary logical replication slot, which goes
// with its connection: what survives is the tape table, so a dead reader can fill no disk.
type walStream struct {
	url       string
	relations map[uint32]*pglogrepl.RelationMessage
	received  pglogrepl.LSN
}

func (s *walStream) run(ctx context.Context, signals chan<- signal) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))

	// Making a slot waits for every open writing transaction of the cluster; the reader tails the
	// table meanwhile.
	slot := "pgtape_" + strings.ToLower(rand.Text())
	made, err := pglogrepl.CreateReplicationSlot(ctx, conn, slot, "pgoutput", pglogrepl.CreateReplicationSlotOptions{
		Temporary: true, Mode: pglogrepl.LogicalReplication, SnapshotAction: "NOEXPORT_SNAPSHOT",
	})
	if err != nil {
		return fmt.Errorf("making a replication slot: %w", err)
	}
	s.received, err = pglogrepl.ParseLSN(made.ConsistentPoint)
	if err != nil {
		return fmt.Errorf("making a replication slot: %w", err)
	}
	err = pglogrepl.StartReplication(ctx, conn, slot, s.received, pglogrepl.StartReplicationOptions{
		Mode:       pglogrepl.LogicalReplication,
		PluginArgs: []string{"proto_version '1'", "publication_names '" + publication + "'", "messages 'true'"},
	})
	if err != nil {
		return fmt.Errorf("starting replication: %w", err)
	}
	if !send(ctx, signals, signal{ready: true}) {
		return ctx.Err()
	}
	return s.receive(ctx, conn, signals)
}

func (s *walStream) connect(ctx context.Context) (*pgconn.PgConn, error) {
	config, err := pgconn.ParseConfig(s.url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	for name, value := range map[string]string{
		"replication": "database", "application_name": "pgtape reader",
		"timezone": "UTC", "datestyle": "ISO", "bytea_output": "hex",
	} {
		config.RuntimeParams[name] = value
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connecting for replication: %w", err)
	}
	return conn, nil
}

// confirmEvery is how often the server hears how far we are, so that it can let WAL go.
const confirmEvery = time.Second

func (s *walStream) receive(ctx context.Context, conn *pgconn.PgConn, signals chan<- signal) error {
	s.relations = make(map[uint32]*pglogrepl.RelationMessage)
	confirm := time.Now().Add(confirmEvery)
	for {
		if !time.Now().Before(confirm) {
			err := pglogrepl.SendStandbyStatusUpdate(ctx, conn, pglogrepl.StandbyStatusUpdate{WALWritePosition: s.received})
			if err != nil {
				return fmt.Errorf("confirming WAL: %w", err)
			}
			confirm = time.Now().Add(confirmEvery)
		}
		waiting, cancel := context.WithDeadline(ctx, confirm)
		message, err := conn.ReceiveMessage(waiting)
		cancel()
		if err != nil {
			if pgconn.Timeout(err) && ctx.Err() == nil {
				continue
			}
			return fmt.Errorf("receiving WAL: %w", err)
		}
		asked, err := s.handle(ctx, message, signals)
		if err != nil {
			return err
		}
		if asked {
			confirm = time.Time{}
		}
	}
}

// handle takes one message of the stream; asked says that the server wants to hear from us.
func (s *walStream) handle(ctx context.Context, message pgproto3.BackendMessage, signals chan<- signal) (asked bool, err error) {
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
			return false, s.decode(ctx, data, signals)
		}
	}
	return false, nil
}

func (s *walStream) decode(ctx context.Context, data pglogrepl.XLogData, signals chan<- signal) error {
	message, err := pglogrepl.Parse(data.WALData)
	if err != nil {
		return fmt.Errorf("decoding WAL: %w", err)
	}
	switch m := message.(type) {
	case *pglogrepl.RelationMessage:
		s.relations[m.RelationID] = m
	case *pglogrepl.InsertMessage:
		event, err := s.event(m)
		if err != nil {
			return err
		}
		send(ctx, signals, signal{event: &event})
	case *pglogrepl.LogicalDecodingMessage:
		if m.Prefix == probePrefix {
			send(ctx, signals, signal{alive: string(m.Content)})
		}
	case *pglogrepl.CommitMessage:
		s.received = max(s.received, m.TransactionEndLSN)
	}
	return nil
}

// event reads a row of the tape from its text form.
func (s *walStream) event(m *pglogrepl.InsertMessage) (e Event, err error) {
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
			e.At, err = time.Parse("2006-01-02 15:04:05.999999Z07", text)
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

// probePrefix marks our own messages in the WAL. They also let the slot advance while markets are
// quiet.
const probePrefix = "pgtape"

func (s *walStream) probe(ctx context.Context, table *pgx.Conn, id string) error {
	if _, err := table.Exec(ctx, "select pg_logical_emit_message(true, $1, $2::text)", probePrefix, id); err != nil {
		return fmt.Errorf("writing a sign of life to the WAL: %w", err)
	}
	return nil
}
