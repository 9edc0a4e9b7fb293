package server

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/server/cache"
)

// This file is the map of what is cached: each query with all that it depends on. A query that
// depends on what no tape tells (a role, a session, a notification), or on the clock, is not here:
// docs/cache.md says which, and why.

// removals are comments that this node has removed, of which it has not heard the market.
const removals cache.Key = "removals"

// markets are a page of the list. What trades now, what closes next and what was traded in the last
// day change by themselves, and are not cached. To rank by the last all its trades are read: so the
// ranking, not the page, may be some seconds old.
func (s *Server) markets(ctx context.Context, f db.MarketFilter) (cache.Found[marketList], error) {
	q := cache.Query[marketList]{
		Name: []string{"markets", f.Status, f.Category, f.Query, f.Sort, f.Cursor, strconv.Itoa(f.Limit)},
		Keys: []cache.Key{cache.Markets},
		Read: func(ctx context.Context, d *db.DB) (list marketList, err error) {
			if f.Sort == "hot" {
				if f.Hot, err = s.hot.get(func() ([]db.HotMarket, error) { return d.HotMarkets(ctx) }); err != nil {
					return list, err
				}
			}
			var next string
			list.Markets, next, err = d.Markets(ctx, f)
			if next != "" {
				list.Next = &next
			}
			return list, err
		},
	}
	if f.Status == "open" || f.Status == "closed" || f.Sort == "hot" || f.Sort == "closing" {
		q.Keys = nil
	}
	return cache.Get(ctx, s.reads, q)
}

// categories change with markets that are made.
func (s *Server) categories(ctx context.Context) ([]string, error) {
	found, err := cache.Get(ctx, s.reads, cache.Query[[]string]{
		Name: []string{"categories"}, Keys: []cache.Key{cache.Moves},
		Read: func(ctx context.Context, d *db.DB) ([]string, error) { return d.Categories(ctx) },
	})
	return found.Value, err
}

// holders are of one market alone.
func (s *Server) holders(ctx context.Context, slug string, most int) (cache.Found[holderList], error) {
	return cache.Get(ctx, s.reads, cache.Query[holderList]{
		Name: []string{"holders", slug, strconv.Itoa(most)}, Keys: []cache.Key{cache.Market(slug)},
		Read: func(ctx context.Context, d *db.DB) (list holderList, err error) {
			list.Market = slug
			if list.Version, err = d.Version(ctx, slug); err == nil {
				list.Holders, err = d.Holders(ctx, slug, most)
			}
			return list, err
		},
	})
}

func (s *Server) commentPage(ctx context.Context, slug string, before int64, limit int) (cache.Found[commentList], error) {
	return cache.Get(ctx, s.reads, cache.Query[commentList]{
		Name: []string{"comments", slug, strconv.FormatInt(before, 10), strconv.Itoa(limit)},
		Keys: []cache.Key{cache.Market(slug), removals},
		Read: func(ctx context.Context, d *db.DB) (list commentList, err error) {
			list.Market = slug
			if list.version, err = d.Version(ctx, slug); err == nil {
				list.Comments, err = d.Comments(ctx, slug, before, limit+1)
			}
			if len(list.Comments) > limit {
				list.Comments = list.Comments[:limit]
				list.Next = &list.Comments[limit-1].ID
			}
			return list, err
		},
	})
}

func (s *Server) timeline(ctx context.Context, slug string) (cache.Found[tapePage], error) {
	return cache.Get(ctx, s.reads, cache.Query[tapePage]{
		Name: []string{"timeline", slug}, Keys: []cache.Key{cache.Market(slug)},
		Read: func(ctx context.Context, d *db.DB) (page tapePage, err error) {
			version, err := d.Version(ctx, slug)
			if err != nil {
				return page, err
			}
			events, err := d.Timeline(ctx, slug)
			page = s.texts.page(slug, "", events)
			page.version = version
			return page, err
		},
	})
}

// positions are worth what their markets say, besides what the account does; payouts are moves.
func (s *Server) positions(ctx context.Context, account string) (cache.Found[[]db.Position], error) {
	return cache.Get(ctx, s.reads, cache.Query[[]db.Position]{
		Name: []string{"positions", account}, Keys: []cache.Key{cache.Account(account), cache.Moves},
		Read: func(ctx context.Context, d *db.DB) ([]db.Position, error) { return d.Positions(ctx, account) },
		Also: func(list []db.Position) []cache.Key {
			return marketKeys(list, func(p db.Position) string { return p.Market })
		},
	})
}

// gains are those of an account, by market.
func (s *Server) gains(ctx context.Context, account string) ([]db.MarketGain, error) {
	found, err := cache.Get(ctx, s.reads, cache.Query[[]db.MarketGain]{
		Name: []string{"gains", account}, Keys: []cache.Key{cache.Account(account), cache.Moves},
		Read: func(ctx context.Context, d *db.DB) ([]db.MarketGain, error) { return d.AccountMarkets(ctx, account) },
		Also: func(list []db.MarketGain) []cache.Key {
			return marketKeys(list, func(g db.MarketGain) string { return g.Market })
		},
	})
	return found.Value, err
}

// made are the markets that an account has funded: to make one is a move.
func (s *Server) made(ctx context.Context, account string) ([]db.MadeMarket, error) {
	found, err := cache.Get(ctx, s.reads, cache.Query[[]db.MadeMarket]{
		Name: []string{"made", account}, Keys: []cache.Key{cache.Moves},
		Read: func(ctx context.Context, d *db.DB) ([]db.MadeMarket, error) { return d.MarketsMade(ctx, account) },
		Also: func(list []db.MadeMarket) []cache.Key {
			return marketKeys(list, func(m db.MadeMarket) string { return m.Market })
		},
	})
	return found.Value, err
}

// entries are what was booked for an account: its trades, grants, and what markets paid.
func (s *Server) entries(ctx context.Context, account string, before int64, limit int) (cache.Found[historyPage], error) {
	return cache.Get(ctx, s.reads, cache.Query[historyPage]{
		Name: []string{"entries", account, strconv.FormatInt(before, 10), strconv.Itoa(limit)},
		Keys: []cache.Key{cache.Account(account), cache.Moves},
		Read: func(ctx context.Context, d *db.DB) (page historyPage, err error) {
			page.Entries, err = d.AccountHistory(ctx, account, before, limit+1)
			if len(page.Entries) > limit {
				page.Entries = page.Entries[:limit]
				next := strconv.FormatInt(page.Entries[limit-1].TransactionID, 10)
				page.Next = &next
			}
			return page, err
		},
	})
}

// A track record counts markets that are resolved, in which nobody trades any more.

func (s *Server) siteRecord(ctx context.Context) ([]db.Tally, error) {
	found, err := cache.Get(ctx, s.reads, cache.Query[[]db.Tally]{
		Name: []string{"site record"}, Keys: []cache.Key{cache.Moves},
		Read: func(ctx context.Context, d *db.DB) ([]db.Tally, error) { return d.SiteRecord(ctx) },
	})
	return found.Value, err
}

func (s *Server) accountRecord(ctx context.Context, account string) ([]db.Tally, error) {
	found, err := cache.Get(ctx, s.reads, cache.Query[[]db.Tally]{
		Name: []string{"record", account}, Keys: []cache.Key{cache.Moves},
		Read: func(ctx context.Context, d *db.DB) ([]db.Tally, error) { return d.AccountRecord(ctx, account) },
	})
	return found.Value, err
}

func (s *Server) brierScores(ctx context.Context, accounts []string) (map[string]db.Brier, error) {
	found, err := cache.Get(ctx, s.reads, cache.Query[map[string]db.Brier]{
		Name: append([]string{"brier scores"}, accounts...), Keys: []cache.Key{cache.Moves},
		Read: func(ctx context.Context, d *db.DB) (map[string]db.Brier, error) { return d.BrierScores(ctx, accounts) },
	})
	return found.Value, err
}

// marketKeys are the markets that a list shows, each once.
func marketKeys[T any](list []T, slug func(T) string) (keys []cache.Key) {
	known := make(map[string]bool, len(list))
	for _, line := range list {
		if m := slug(line); !known[m] {
			known[m] = true
			keys = append(keys, cache.Market(m))
		}
	}
	return keys
}

// answer sends what was found; who has it already is told so. An answer to one account is private.
func answer[T any](c echo.Context, found cache.Found[T], private bool) error {
	h := c.Response().Header()
	policy := []string{"no-cache"}
	if private {
		policy = append(policy, "private")
	}
	h.Set("Cache-Control", strings.Join(policy, ", "))
	h.Set("ETag", found.ETag)
	h.Set("X-Cache", string(found.How))
	if matches(c.Request().Header.Get("If-None-Match"), found.ETag) {
		return c.NoContent(http.StatusNotModified)
	}
	return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, found.Body)
}

// answerWith sends what was made of something found, for the account that asked.
func answerWith(c echo.Context, how cache.How, content any) error {
	made, err := cache.Encode(content)
	if err != nil {
		return err
	}
	made.How = how
	return answer(c, made, true)
}
