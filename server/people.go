package server

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

const peoplePage = 50

// linkLife is how long a link signs somebody in who has lost the password.
const linkLife = day

// listPeople handles GET /api/v1/accounts?q=&after=: the accounts, for admins.
func (s *Server) listPeople(c echo.Context) error {
	people, err := s.db.People(c.Request().Context(), c.QueryParam("q"), c.QueryParam("after"), peoplePage, accountOf(c).Ref())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, peopleOf(people))
}

type peopleList struct {
	Accounts []db.Person `json:"accounts"`
	Next     *string     `json:"next"` // what after is for the next page
}

func peopleOf(people []db.Person) peopleList {
	list := peopleList{Accounts: people}
	if len(people) == peoplePage {
		list.Next = &people[len(people)-1].Handle
	}
	return list
}

// giveRole handles POST /api/v1/accounts/{handle}/role.
func (s *Server) giveRole(c echo.Context) error {
	var request struct {
		Role    db.Role `json:"role"`
		Current string  `json:"current"` // the admin's password
	}
	if err := decode(c, &request, db.InvalidRequest); err != nil {
		return err
	}
	if err := s.confirmOwner(c, request.Current); err != nil {
		return err
	}
	account, err := s.db.SetRole(c.Request().Context(), c.Param("handle"), request.Role, accountOf(c).Ref())
	if err != nil {
		return err
	}
	s.passes.forget(account.ID)
	return c.JSON(http.StatusOK, account)
}

// createLink handles POST /api/v1/accounts/{handle}/link: a way in for whoever has lost the password.
func (s *Server) createLink(c echo.Context) error {
	var request struct {
		Current string `json:"current"` // the admin's password
	}
	if c.Request().ContentLength != 0 {
		if err := decode(c, &request, db.InvalidRequest); err != nil {
			return err
		}
	}
	if err := s.confirmOwner(c, request.Current); err != nil {
		return err
	}
	token, expires, err := s.db.CreateSignInLink(c.Request().Context(), c.Param("handle"), linkLife, accountOf(c).Ref())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, struct {
		Link      string    `json:"link"`
		ExpiresAt time.Time `json:"expires_at"`
	}{origin(c) + "/signin#link=" + token, expires})
}

// revokeAccess handles DELETE /api/v1/accounts/{handle}/access: sessions and keys end.
func (s *Server) revokeAccess(c echo.Context) error {
	ended, err := s.db.RevokeAccess(c.Request().Context(), c.Param("handle"), accountOf(c).Ref())
	if err != nil {
		return err
	}
	s.passes.withdraw(ended...)
	return c.NoContent(http.StatusNoContent)
}

// approveAccount handles POST /api/v1/accounts/{handle}/approval: an account that began with nothing is
// given its opening credits, once.
func (s *Server) approveAccount(c echo.Context) error {
	account, err := s.db.ApproveAccount(c.Request().Context(), c.Param("handle"), accountOf(c).Ref())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, account)
}

// rankAccount handles POST /api/v1/accounts/{handle}/ranking: it is left out of the leaderboard, with what
// others have won from it, or taken in again.
func (s *Server) rankAccount(c echo.Context) error {
	var request struct {
		Ranked *bool  `json:"ranked"`
		Reason string `json:"reason"`
	}
	if err := decode(c, &request, db.InvalidRequest); err != nil {
		return err
	}
	if request.Ranked == nil {
		return db.Errorf(db.InvalidRequest, "ranked is missing: want true or false")
	}
	account, err := s.db.SetRanked(c.Request().Context(), c.Param("handle"), *request.Ranked, request.Reason, accountOf(c).Ref())
	if err != nil {
		return err
	}
	s.board.drop()
	return c.JSON(http.StatusOK, account)
}
