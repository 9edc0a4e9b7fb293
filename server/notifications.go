package server

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

const pageNotifications = 50

// notificationList is a page of what an account was told, the newest first; Next is null on the last one.
type notificationList struct {
	Unread        int64             `json:"unread"`
	Notifications []db.Notification `json:"notifications"`
	Next          *int64            `json:"next"`
}

// listNotifications handles GET /api/v1/notifications?before=&limit=. With limit=0 it only counts.
func (s *Server) listNotifications(c echo.Context) error {
	limit, err := whole(c, "limit", 0, 200, pageNotifications)
	if err != nil {
		return err
	}
	list, err := s.notificationsOf(c, accountOf(c).Ref(), limit)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, list)
}

// notificationsOf reads the page that an address asks for. Counting finds what no event has written
// down, and so comes first.
func (s *Server) notificationsOf(c echo.Context, account string, limit int) (list notificationList, err error) {
	ctx := c.Request().Context()
	before, err := id(c.QueryParam("before"), "before")
	if err != nil {
		return list, err
	}
	list.Notifications = []db.Notification{}
	if list.Unread, err = s.db.UnreadNotifications(ctx, account); err != nil || limit == 0 {
		return list, err
	}
	list.Notifications, err = s.db.Notifications(ctx, account, before, limit)
	if len(list.Notifications) == limit {
		list.Next = &list.Notifications[limit-1].ID
	}
	return list, err
}

// readNotifications handles POST /api/v1/notifications/read {"ids":[…]|null}: these are read, or all.
func (s *Server) readNotifications(c echo.Context) error {
	var request struct {
		IDs []int64 `json:"ids"`
	}
	if err := decode(c, &request, db.InvalidRequest); err != nil {
		return err
	}
	unread, err := s.db.ReadNotifications(c.Request().Context(), accountOf(c).Ref(), request.IDs)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]int64{"unread": unread})
}

// notificationsPage handles GET /notifications. Who is not signed in is told so.
func (s *Server) notificationsPage(c echo.Context) error {
	account, err := s.visitor(c)
	if err != nil {
		return err
	}
	var list notificationList
	if account != nil {
		if list, err = s.notificationsOf(c, account.Ref(), pageNotifications); err != nil {
			return err
		}
	}
	return render(c, http.StatusOK, "notifications", struct {
		Account *db.Account `json:"account"`
		notificationList
	}{account, list})
}
