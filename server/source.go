package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/static"
)

// getSource handles GET /api/v1/source: how this node's tape reader is doing.
func (s *Server) getSource(c echo.Context) error {
	status := s.reader.Status()
	return c.JSON(http.StatusOK, struct {
		Mode       tape.Mode  `json:"mode"`
		Why        string     `json:"why"`
		State      tape.State `json:"state"`
		LagMS      float64    `json:"lag_ms"`
		Retained   int64      `json:"wal_retained_bytes"`
		WALStatus  string     `json:"wal_status"`
		SlotDrops  int64      `json:"slot_drops"`
		Delivered  int64      `json:"delivered"`
		Reconciled int64      `json:"reconciled"`
		Resets     int64      `json:"resets"`
		Connects   int64      `json:"connects"`
	}{
		status.Mode, status.Why, status.State, float64(status.Lag.Round(100*time.Microsecond).Microseconds()) / 1000,
		status.Retained, status.WALStatus, status.SlotDrops,
		status.Delivered, status.Reconciled, status.Resets, status.Connects,
	})
}

// getHealth handles GET /healthz: the process is alive, and serves these assets.
func (s *Server) getHealth(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "alive", "assets": static.Build()})
}

// readyWithin is for the database to give a sign of life: whoever asks for readiness decides by the
// answer where to send others, and has little patience.
const readyWithin = 1500 * time.Millisecond

// getReadiness handles GET /readyz: the database can be reached and takes writes, the tape is live, and
// no restart is under way. If not, the answer says which.
func (s *Server) getReadiness(c echo.Context) error {
	if s.gate.isShut() {
		return restarting()
	}
	database, reader, reason := "reachable", s.reader.Status().State, ""
	ctx, cancel := context.WithTimeout(c.Request().Context(), readyWithin)
	defer cancel()
	if err := s.db.Ready(ctx); err != nil {
		database, reason = "unreachable", db.ReasonUnreachable
		var e *db.Error
		if errors.As(err, &e) && e.Reason != "" && e.Reason != db.ReasonUnreachable {
			database, reason = "refusing", e.Reason
		}
		s.log.Warn("not ready", "reason", reason, "err", err)
	}
	if reason == "" && reader == tape.Live {
		return c.JSON(http.StatusOK, map[string]string{"status": "ready", "database": database, "reader": string(reader)})
	}
	e := db.Errorf(db.Unavailable, "not ready: the database is %s, the tape reader is %s", database, reader)
	if reason != "" {
		e.Message = fmt.Sprintf("not ready: the database is %s (%s), the tape reader is %s", database, reason, reader)
	}
	e.Detail = encode(map[string]string{"database": database, "reader": string(reader), "reason": reason})
	return e
}
