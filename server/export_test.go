package server

import "time"

// SetPatience shortens the wait for a version that this node has not seen.
func (s *Server) SetPatience(d time.Duration) { s.patience = d }
