package server

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/pgtape/pgtape/db"
)

// route is a line of the table: what can be asked, and by whom.
type route struct {
	method, path string
	who          access
	handler      echo.HandlerFunc
}

// access says whose requests a route answers: of accounts from a role on, in a session or with an
// API key of the scope. Without a role it answers everybody, without a scope no key.
type access struct {
	role  db.Role
	scope scope
}

// scope is what an API key is for.
type scope string

// The scopes of API keys.
const (
	read    scope = "read"
	trade   scope = "trade"
	operate scope = "operate"
)

var (
	anybody   = access{}
	reader    = access{db.Trader, read}
	trader    = access{db.Trader, trade}
	mover     = access{db.Trader, operate} // makers and holders of a market too, in a session
	operator  = access{db.Operator, operate}
	inSession = access{db.Trader, ""}
	running   = access{db.Operator, ""} // an operator in a session
	admin     = access{db.Admin, ""}
)

const (
	get  = http.MethodGet // HEAD too
	post = http.MethodPost
	del  = http.MethodDelete
)

// routes is the map of everything that can be asked.
func (s *Server) routes() []route {
	table := []route{
		{post, "/api/v1/session", anybody, s.createSession},
		{get, "/api/v1/session", reader, s.getSession},
		{del, "/api/v1/session", anybody, s.deleteSession},
		{get, "/api/v1/sessions", inSession, s.listSessions},
		{del, "/api/v1/sessions", inSession, s.deleteOtherSessions},
		{del, "/api/v1/sessions/:id", inSession, s.deleteOneSession},
		{post, "/api/v1/password", inSession, s.changePassword},
		{post, "/api/v1/identity", inSession, s.createIdentity},
		{del, "/api/v1/identity", inSession, s.deleteIdentity},
		{get, "/api/v1/keys", inSession, s.listKeys},
		{post, "/api/v1/keys", inSession, s.createKey},
		{del, "/api/v1/keys/:id", inSession, s.deleteKey},
		{get, "/api/v1/invites", running, s.listInvites},
		{post, "/api/v1/invites", running, s.createInvite},
		{del, "/api/v1/invites/:id", running, s.deleteInvite},
		{get, "/api/v1/accounts", admin, s.listPeople},
		{post, "/api/v1/accounts/:handle/role", admin, s.giveRole},
		{post, "/api/v1/accounts/:handle/link", admin, s.createLink},
		{del, "/api/v1/accounts/:handle/access", admin, s.revokeAccess},
		{post, "/api/v1/accounts/:handle/approval", running, s.approveAccount},
		{post, "/api/v1/accounts/:handle/ranking", running, s.rankAccount},

		{get, "/api/v1/markets", anybody, s.listMarkets},
		{post, "/api/v1/markets", trader, s.createMarket},
		{get, "/api/v1/markets/:slug", anybody, s.getMarket},
		{get, "/api/v1/markets/:slug/quote", anybody, s.getQuote},
		{post, "/api/v1/markets/:slug/trades", trader, s.createTrade},
		{get, "/api/v1/markets/:slug/tape", anybody, s.getTape},
		{get, "/api/v1/markets/:slug/history", anybody, s.getHistory},
		{get, "/api/v1/markets/:slug/stream", anybody, s.streamMarket},
		{get, "/api/v1/markets/:slug/state", anybody, s.getMarketState},

		{get, "/api/v1/markets/:slug/moves", reader, s.getMoves},
		{post, "/api/v1/markets/:slug/moves", mover, s.createMove},
		{get, "/api/v1/markets/:slug/settlement", anybody, s.getSettlement},
		{get, "/api/v1/market-preview", anybody, s.getMarketPreview},
		{get, "/api/v1/audit", operator, s.getAudit},
		{get, "/api/v1/markets/:slug/holders", anybody, s.getHolders},
		{get, "/api/v1/markets/:slug/timeline", anybody, s.getTimeline},
		{get, "/api/v1/markets/:slug/comments", anybody, s.listComments},
		{post, "/api/v1/markets/:slug/comments", trader, s.createComment},
		{del, "/api/v1/comments/:id", trader, s.deleteComment},

		{get, "/api/v1/notifications", reader, s.listNotifications},
		{post, "/api/v1/notifications/read", trader, s.readNotifications},

		{get, "/api/v1/accounts/:handle", anybody, s.getAccount},
		{get, "/api/v1/portfolio", reader, s.getPortfolio},
		{get, "/api/v1/portfolio/history", reader, s.getAccountHistory},
		{get, "/api/v1/account/export", inSession, s.exportAccount},
		{del, "/api/v1/account", inSession, s.deleteAccount},
		{get, "/api/v1/leaderboard", anybody, s.getLeaderboard},
		{get, "/api/v1/source", anybody, s.getSource},
		{get, "/api/v1/openapi.json", anybody, getOpenAPI},

		{get, "/ws", anybody, s.openSocket},
		{get, "/healthz", anybody, s.getHealth},
		{get, "/readyz", anybody, s.getReadiness},
		{get, "/metrics", anybody, s.metrics.get},

		{get, "/", anybody, s.listPage},
		{get, "/m/:slug", anybody, s.marketPage},
		{get, "/new", anybody, s.newPage},
		{get, "/audit", operator, s.auditPage},
		{get, "/m/:slug/card.png", anybody, s.marketCard},
		{get, "/embed/:slug", anybody, s.embedMarket},
		{get, "/feed.atom", anybody, s.atomFeed},
		{get, "/feed.rss", anybody, s.rssFeed},
		{get, "/signin", anybody, s.signInPage},
		{post, "/signin", anybody, s.signInPage},
		{get, "/signin/oidc", anybody, s.beginOIDC},
		{get, callbackPath, anybody, s.endOIDC},
		{get, "/signup", anybody, s.signUpPage},
		{post, "/signup", anybody, s.signUpPage},
		{get, "/settings", inSession, s.settingsPage},
		{get, "/admin", running, s.adminPage},
		{get, "/m/:slug/:tab", anybody, s.marketTab},
		{get, "/notifications", anybody, s.notificationsPage},
		{get, "/portfolio", anybody, s.portfolioPage},
		{get, "/portfolio/history.csv", inSession, s.getHistoryCSV},
		{get, "/leaderboard", anybody, s.leaderboardPage},
		{get, "/calibration", anybody, s.calibrationPage},
		{get, "/u/:handle", anybody, s.profilePage},
		{get, "/static/*", anybody, s.getAsset},
	}
	for _, r := range table {
		if r.method == get && !lasting(r.path) {
			table = append(table, route{http.MethodHead, r.path, r.who, r.handler})
		}
	}
	return table
}

// lasting routes are answered for as long as who asked stays.
func lasting(path string) bool { return path == "/ws" || path == "/api/v1/markets/:slug/stream" }

// checks are what a request goes through before its handler.
func (s *Server) checks(r route) []echo.MiddlewareFunc {
	var checks []echo.MiddlewareFunc
	if !lasting(r.path) {
		checks = append(checks, timeout)
	}
	if r.method == post && r.path != "/signin" && r.path != "/signup" { // whose secrets come by a form; sameSite refuses other sites'
		checks = append(checks, requireJSON)
	}
	if r.path == "/embed/:slug" || r.path == "/m/:slug/card.png" {
		checks = append(checks, embeddable)
	}
	if r.who == anybody {
		if r.method == post || r.method == del {
			checks = append(checks, s.meantByVisitor)
		}
		return append(checks, s.goodKey)
	}
	return append(checks, s.admit(r.who, r.path == "/api/v1/markets/:slug/trades"))
}
