package server

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"html"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/feeds"
	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/static"
)

const (
	feedEach = 30 // newest markets, and as many newest resolutions

	// An event of this moment may be committed behind another that is younger: until the newest has
	// settled, the ETag alone tells whether there is something new.
	feedSettles = 10 * time.Second
)

// atomFeed handles GET /feed.atom.
func (s *Server) atomFeed(c echo.Context) error {
	return s.feed(c, "/feed.atom", "application/atom+xml; charset=utf-8", func(f *feeds.Feed, w io.Writer) error {
		atom := (&feeds.Atom{Feed: f}).AtomFeed()
		atom.Id = "urn:pgtape:" + origin(c)[strings.Index(origin(c), "//")+len("//"):]
		atom.Link = &feeds.AtomLink{Href: origin(c) + "/feed.atom", Rel: "self"}
		return feeds.WriteXML(atom, w)
	})
}

// rssFeed handles GET /feed.rss.
func (s *Server) rssFeed(c echo.Context) error {
	return s.feed(c, "/feed.rss", "application/rss+xml; charset=utf-8", func(f *feeds.Feed, w io.Writer) error {
		return f.WriteRss(w)
	})
}

// feed answers with the newest markets and resolutions, or that nothing has changed.
func (s *Server) feed(c echo.Context, name, kind string, write func(*feeds.Feed, io.Writer) error) error {
	entries, err := s.db.Feed(c.Request().Context(), feedEach)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := write(feedOf(origin(c), entries), &text); err != nil {
		return err
	}
	hash := sha256.Sum256(text.Bytes())
	var changed time.Time // zero: not said
	if len(entries) > 0 && time.Since(entries[0].At) > feedSettles {
		changed = entries[0].At
	}
	h := c.Response().Header()
	h.Set("ETag", `"`+hex.EncodeToString(hash[:8])+`"`)
	h.Set("Cache-Control", s.sites.cacheControl())
	h.Set(echo.HeaderContentType, kind)
	http.ServeContent(c.Response(), c.Request(), name, changed, bytes.NewReader(text.Bytes()))
	return nil
}

func feedOf(site string, entries []db.FeedEntry) *feeds.Feed {
	feed := &feeds.Feed{
		Title: "pgtape", Description: "New markets, and how markets were resolved",
		Link: &feeds.Link{Href: site + "/"}, Author: &feeds.Author{Name: "pgtape"}, Updated: time.Unix(0, 0).UTC(),
	}
	for _, e := range entries {
		title, text := told(e)
		feed.Add(&feeds.Item{
			// The cursor names one event of one history, so no reader shows an entry twice.
			Id: "urn:pgtape:" + e.Market + ":" + e.Cursor, IsPermaLink: "false",
			Title: plainText(title), Description: html.EscapeString(plainText(text)), // which is HTML in both formats
			Link: &feeds.Link{Href: site + "/m/" + e.Market}, Created: e.At.UTC(), Updated: e.At.UTC(),
		})
	}
	if len(entries) > 0 {
		feed.Updated = entries[0].At.UTC()
	}
	return feed
}

// told words an entry.
func told(e db.FeedEntry) (title, text string) {
	switch e.Kind {
	case "resolved":
		return "Resolved: " + e.Question, payoutWords(e.Outcomes, e.Payout) + " " + e.Reason
	case "void":
		return "Void: " + e.Question, payoutWords(e.Outcomes, e.Payout) + " " + e.Reason
	case "corrected":
		return "Corrected: " + e.Question, payoutWords(e.Outcomes, e.Payout) + " " + e.Reason
	}
	labels := make([]string, len(e.Outcomes))
	for i, outcome := range e.Outcomes {
		labels[i] = static.Label(outcome)
	}
	return "New market: " + e.Question, strings.Join(labels, ", ") + "."
}

// payoutWords says what a market pays. Outcomes that pay nothing are left out.
func payoutWords(outcomes []string, payout []db.Decimal) string {
	var pays []string
	for i, amount := range payout {
		if amount = plainDecimal(amount); amount != "0" {
			pays = append(pays, static.Label(outcomes[i])+" pays ¤ "+string(amount)+" a share")
		}
	}
	return strings.Join(pays, ", ") + "."
}

// plainDecimal leaves out the zeros that say nothing.
func plainDecimal(d db.Decimal) db.Decimal {
	text := string(d)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return db.Decimal(cmp.Or(text, "0"))
}

// plainText leaves out what XML 1.0 forbids, which would make a whole feed unreadable.
func plainText(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r', r >= 0x20 && r <= 0xD7FF, r >= 0xE000 && r <= 0xFFFC, r >= 0x10000:
			return r
		}
		return -1
	}, text)
}
