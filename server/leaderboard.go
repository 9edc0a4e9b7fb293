package server

import (
	"context"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

const (
	boardLife = 10 * time.Second // to value ten thousand positions takes most of a second
	boardRows = 50               // on a page
)

// standing is a line of the leaderboard.
type standing struct {
	Rank int `json:"rank"`
	db.Standing
	Brier     *db.Decimal `json:"brier"` // null: no forecasts in resolved markets
	Forecasts int64       `json:"forecasts"`
}

// getLeaderboard handles GET /api/v1/leaderboard?limit=&offset=: who has gained most.
func (s *Server) getLeaderboard(c echo.Context) error {
	limit, err := whole(c, "limit", 1, 500, 50)
	if err != nil {
		return err
	}
	offset, err := whole(c, "offset", 0, math.MaxInt32, 0)
	if err != nil {
		return err
	}
	standings, _, err := s.standings(c.Request().Context(), offset, limit, "")
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct {
		Standings []standing `json:"standings"`
	}{standings})
}

// leaderboardPage handles GET /leaderboard?page=.
func (s *Server) leaderboardPage(c echo.Context) error {
	account, err := s.visitor(c)
	if err != nil {
		return err
	}
	page, err := whole(c, "page", 1, 1_000_000, 1)
	if err != nil {
		return err
	}
	own := ""
	if account != nil {
		own = account.Handle
	}
	standings, count, err := s.standings(c.Request().Context(), (page-1)*boardRows, boardRows, own)
	if err != nil {
		return err
	}
	state := struct {
		Account   *db.Account `json:"account"`
		Standings []standing  `json:"standings"`
		Own       *standing   `json:"own"`      // if it is not among them
		Previous  *int        `json:"previous"` // pages
		Next      *int        `json:"next"`
	}{Account: account, Standings: standings}
	if n := len(standings); n > 0 && standings[n-1].Rank > page*boardRows || n > 0 && standings[n-1].Rank <= (page-1)*boardRows {
		state.Own, state.Standings = &standings[n-1], standings[:n-1]
	}
	if before := page - 1; before > 0 {
		state.Previous = &before
	}
	if after := page + 1; page*boardRows < count {
		state.Next = &after
	}
	return render(c, http.StatusOK, "leaderboard", state)
}

// standings are a part of the board and, if it is not in it, the line of own behind it.
func (s *Server) standings(ctx context.Context, offset, limit int, own string) (list []standing, count int, err error) {
	board, err := s.board.get(func() ([]db.Standing, error) { return s.db.Leaderboard(ctx, math.MaxInt32) })
	if err != nil {
		return nil, 0, err
	}
	list = []standing{}
	var handles []string
	for i, line := range board {
		if i >= offset && i < offset+limit || own != "" && strings.EqualFold(line.Account, own) {
			list = append(list, standing{Rank: i + 1, Standing: line})
			handles = append(handles, line.Account)
		}
	}
	if n := len(list); n > 1 && list[0].Rank <= offset { // own, from before
		list = append(list[1:], list[0])
	}
	scores, err := s.brierScores(ctx, handles)
	for i := range list {
		if score, ok := scores[list[i].Account]; ok {
			list[i].Brier, list[i].Forecasts = &score.Brier, score.Forecasts
		}
	}
	return list, len(board), err
}
