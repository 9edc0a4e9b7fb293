package server

import (
	"time"

	"github.com/labstack/echo/v4"
)

// SetPatience shortens the wait for a version that this node has not seen.
func (s *Server) SetPatience(d time.Duration) { s.patience = d }

// SetComments shortens the pauses between the comment lines of streams.
func (s *Server) SetComments(d time.Duration) { s.comments = d }

// SetWriting shortens the time to take an answer.
func (s *Server) SetWriting(d time.Duration) { s.writing = d }

// Routes are the rows of the route table.
func (s *Server) Routes() []*echo.Route { return s.echo.Routes() }
