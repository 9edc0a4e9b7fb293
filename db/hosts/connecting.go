package hosts

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// BeforeConnect is Prepare for pools, which make their connections themselves.
func (s *Servers) BeforeConnect(ctx context.Context, config *pgx.ConnConfig) error {
	*config = *config.Copy() // some share what it points to with the next
	begun, err := s.Prepare(ctx, &config.Config)
	if err != nil {
		return err
	}
	config.Tracer = connecting{begun}
	return nil
}

// connecting hears how a connection of a pool was made: there is no other way to.
type connecting struct{ begun func(error) }

func (c connecting) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	return ctx
}

func (c connecting) TraceConnectEnd(_ context.Context, data pgx.TraceConnectEndData) {
	c.begun(data.Err)
}

func (c connecting) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (c connecting) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
