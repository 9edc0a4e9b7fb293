package server

import (
	"math"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

// auditList is a page of the audit log; Next is null on the last one.
type auditList struct {
	Entries []db.AuditEntry `json:"entries"`
	Next    *int64          `json:"next"`
}

// getAudit handles GET /api/v1/audit?before=&limit=: what operators and admins have done.
func (s *Server) getAudit(c echo.Context) error {
	list, err := s.auditOf(c)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, list)
}

func (s *Server) auditOf(c echo.Context) (list auditList, err error) {
	limit, err := whole(c, "limit", 1, 500, 100)
	if err != nil {
		return list, err
	}
	before, err := whole(c, "before", 1, math.MaxInt, 0)
	if err != nil {
		return list, err
	}
	list.Entries, err = s.db.Audit(c.Request().Context(), int64(before), limit+1)
	if len(list.Entries) > limit {
		list.Entries = list.Entries[:limit]
		list.Next = &list.Entries[limit-1].ID
	}
	return list, err
}

// auditPage handles GET /audit.
func (s *Server) auditPage(c echo.Context) error {
	list, err := s.auditOf(c)
	if err != nil {
		return err
	}
	account := accountOf(c)
	return render(c, http.StatusOK, "audit", struct {
		Account *db.Account `json:"account"`
		auditList
	}{&account, list})
}
