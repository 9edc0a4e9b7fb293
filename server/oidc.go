package server

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/labstack/echo/v4"
	"golang.org/x/oauth2"

	"github.com/pgtape/pgtape/db"
)

// Provider is an OpenID Connect provider that signs people in.
type Provider struct {
	Issuer       string // empty: none
	ClientID     string
	ClientSecret string
	Name         string // for people; empty: the host of the issuer
}

const (
	flowCookie     = "pgtape_flow"
	flowLife       = 15 * time.Minute
	providerWithin = 8 * time.Second // is how long we wait for the provider
	callbackPath   = "/signin/oidc/callback"
)

// identities asks the provider. What it says of itself is read when it is first needed, so that a
// server starts without it.
type identities struct {
	config Provider
	client *http.Client

	mu       sync.Mutex
	provider *oidc.Provider
}

func newIdentities(config Provider) *identities {
	return &identities{config: config, client: &http.Client{Timeout: providerWithin}}
}

// flow is what a browser that goes to the provider will need when it is back; when the provider has
// told an identity that has no account yet, it waits here for a handle.
type flow struct {
	State, Nonce, Verifier string
	To, Invite             string
	AccountID              int64 // that the identity is to be linked to
	Identity               db.Identity
	Suggestion             string
}

// known tells whether there is a provider.
func (i *identities) known() bool { return i.config.Issuer != "" }

// name is what people know the provider by.
func (i *identities) name() string {
	if u, err := url.Parse(i.config.Issuer); err == nil {
		return cmp.Or(i.config.Name, u.Hostname())
	}
	return i.config.Name
}

func (i *identities) discover(ctx context.Context) (*oidc.Provider, error) {
	i.mu.Lock()
	known := i.provider
	i.mu.Unlock()
	if known != nil {
		return known, nil
	}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, i.client), i.config.Issuer)
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.provider = found
	return found, nil
}

func (i *identities) oauth(provider *oidc.Provider, origin string) *oauth2.Config {
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = i.authStyle(provider)
	return &oauth2.Config{
		ClientID: i.config.ClientID, ClientSecret: i.config.ClientSecret, Endpoint: endpoint,
		RedirectURL: origin + callbackPath, Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
	}
}

// authStyle is how the provider is shown the secret: in the body where it takes that, for in the header
// not all agree on how to escape it. Left open, each code would be tried twice.
func (i *identities) authStyle(provider *oidc.Provider) oauth2.AuthStyle {
	var says struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	_ = provider.Claims(&says) // it has been parsed before
	if i.config.ClientSecret == "" || slices.Contains(says.Methods, "client_secret_post") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// beginOIDC handles GET /signin/oidc?to=&invite=: it sends the browser to the provider.
func (s *Server) beginOIDC(c echo.Context) error {
	if !s.oidc.known() {
		return echo.ErrNotFound
	}
	where, err := s.beginFlow(c, flow{To: localPath(c.QueryParam("to")), Invite: c.QueryParam("invite")})
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, where)
}

// createIdentity handles POST /api/v1/identity: the caller wants to sign in by the provider, too. The
// answer says where the browser has to go. No link of another site can have this done: whatever identity
// the browser has at the provider would let somebody in.
func (s *Server) createIdentity(c echo.Context) error {
	var request struct {
		Current string `json:"current"` // the password
	}
	if err := decode(c, &request, db.InvalidRequest); err != nil {
		return err
	}
	if !s.oidc.known() {
		return echo.ErrNotFound
	}
	if err := s.confirmOwner(c, request.Current); err != nil {
		return err
	}
	where, err := s.beginFlow(c, flow{AccountID: accountOf(c).ID})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]string{"location": where})
}

// beginFlow keeps what the browser will need when it comes back, and tells where it goes.
func (s *Server) beginFlow(c echo.Context, f flow) (where string, err error) {
	f.State, f.Nonce, f.Verifier = rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	provider, err := s.oidc.discover(c.Request().Context())
	if err != nil {
		return "", s.providerDown(err)
	}
	if err := s.keepFlow(c, f); err != nil {
		return "", err
	}
	return s.oidc.oauth(provider, origin(c)).AuthCodeURL(
		f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), nil
}

// endOIDC handles GET /signin/oidc/callback: the browser is back from the provider.
func (s *Server) endOIDC(c echo.Context) error {
	if !s.oidc.known() {
		return echo.ErrNotFound
	}
	f, err := s.flowOf(c, false)
	if err != nil {
		return err
	}
	if f.State == "" || subtle.ConstantTimeCompare([]byte(f.State), []byte(c.QueryParam("state"))) != 1 {
		return flowUnknown()
	}
	if _, err := s.flowOf(c, true); err != nil { // once
		return err
	}
	if c.QueryParam("error") != "" {
		return &db.Error{Code: db.NotPermitted, Message: s.oidc.name() + " has not signed you in: you, or it, said no", Hint: "start again at /signin"}
	}
	identity, suggestion, err := s.identify(c, f)
	if err != nil {
		return err
	}
	if f.AccountID != 0 {
		return s.linkIdentity(c, f, identity)
	}
	ctx := c.Request().Context()
	handle, err := s.db.IdentityAccount(ctx, identity)
	if err != nil {
		return err
	}
	if handle == "" {
		return s.askForHandle(c, flow{To: f.To, Invite: f.Invite, Identity: identity, Suggestion: suggestion})
	}
	token, account, err := s.db.CreateSession(ctx, handle, deviceLabel(c), db.Shown{Identity: identity})
	if err != nil {
		return err
	}
	if err := s.replaceSession(c, token, account); err != nil {
		return err
	}
	s.remember(c, account)
	return c.Redirect(http.StatusSeeOther, f.To)
}

// identify trades the code that the browser has brought for who that is.
func (s *Server) identify(c echo.Context, f flow) (who db.Identity, suggestion string, err error) {
	ctx := oidc.ClientContext(c.Request().Context(), s.oidc.client)
	provider, err := s.oidc.discover(ctx)
	if err != nil {
		return who, "", s.providerDown(err)
	}
	tokens, err := s.oidc.oauth(provider, origin(c)).Exchange(ctx, c.QueryParam("code"), oauth2.VerifierOption(f.Verifier))
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.Response.StatusCode < http.StatusInternalServerError:
		return who, "", s.providerRefused(err)
	case err != nil:
		return who, "", s.providerDown(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	token, err := provider.Verifier(&oidc.Config{ClientID: s.oidc.config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return who, "", s.providerRefused(err)
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(f.Nonce)) != 1 {
		return who, "", s.providerRefused(errors.New("another nonce"))
	}
	var claims struct {
		PreferredUsername string `json:"preferred_username"`
		Email             string `json:"email"`
	}
	if err := token.Claims(&claims); err != nil {
		return who, "", s.providerRefused(err)
	}
	local, _, _ := strings.Cut(cmp.Or(claims.PreferredUsername, claims.Email), "@")
	suggestion, err = s.freeHandle(ctx, local)
	return db.Identity{Issuer: token.Issuer, Subject: token.Subject}, suggestion, err
}

func (s *Server) linkIdentity(c echo.Context, f flow, identity db.Identity) error {
	account, err := s.visitor(c)
	if err != nil {
		return err
	}
	if account == nil || account.ID != f.AccountID {
		return flowUnknown()
	}
	if err := s.db.LinkIdentity(withProof(c), account.Ref(), identity); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings")
}

// askForHandle sends whoever has no account yet to choose a handle, if the policy lets them.
func (s *Server) askForHandle(c echo.Context, f flow) error {
	if s.signUp == Closed || s.signUp == Invite && f.Invite == "" {
		return &db.Error{
			Code: db.NotPermitted, Message: "you have no account here, and new ones need an invite", Hint: "ask somebody who runs markets here",
		}
	}
	if err := s.keepFlow(c, f); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/signup?provider=1")
}

// enterByProvider makes the account of whom the provider has told, with the handle they chose.
func (s *Server) enterByProvider(c echo.Context, r newSession) (token string, account db.Account, err error) {
	f, err := s.flowOf(c, false)
	if err == nil && f.Identity.Subject == "" {
		err = flowUnknown()
	}
	if err != nil {
		return "", account, err
	}
	signUp := db.SignUp{Handle: r.Handle, Invite: f.Invite, Identity: f.Identity}
	if token, account, err = s.db.SignUpIn(c.Request().Context(), signUp, deviceLabel(c)); err != nil {
		return "", account, err
	}
	_, err = s.flowOf(c, true)
	return token, account, err
}

// deleteIdentity handles DELETE /api/v1/identity.
func (s *Server) deleteIdentity(c echo.Context) error {
	if err := s.db.UnlinkIdentity(c.Request().Context(), accountOf(c).Ref()); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) keepFlow(c echo.Context, f flow) error {
	token, err := s.db.PutOIDCFlow(c.Request().Context(), f)
	if err == nil {
		setCookie(c, flowCookie, token, flowLife)
	}
	return err
}

// flowOf is what was kept for this browser, for the last time if it is taken.
func (s *Server) flowOf(c echo.Context, take bool) (f flow, err error) {
	cookie, err := c.Cookie(flowCookie)
	if err != nil {
		return f, flowUnknown()
	}
	found, err := s.db.OIDCFlow(c.Request().Context(), cookie.Value, take, &f)
	if err == nil && !found {
		err = flowUnknown()
	}
	if take {
		setCookie(c, flowCookie, "", -1)
	}
	return f, err
}

func flowUnknown() error {
	return &db.Error{
		Code: db.InvalidRequest, Message: "this sign-in was begun in another browser or too long ago, or has ended already", Hint: "start again at /signin",
	}
}

func (s *Server) providerDown(err error) error {
	s.log.Warn("the sign-in provider cannot be reached", "issuer", s.oidc.config.Issuer, "err", err)
	return &db.Error{
		Code: db.Unavailable, Message: s.oidc.name() + " cannot be reached at the moment", Hint: "try again, or sign in with a password",
	}
}

func (s *Server) providerRefused(err error) error {
	s.log.Warn("a sign-in by the provider failed", "issuer", s.oidc.config.Issuer, "err", err)
	return &db.Error{
		Code: db.NotPermitted, Message: s.oidc.name() + " has not confirmed who you are", Hint: "start again at /signin",
	}
}

var notOfHandles = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// freeHandle makes a handle that nobody has yet from what the provider calls somebody.
func (s *Server) freeHandle(ctx context.Context, name string) (string, error) {
	name = strings.TrimLeft(notOfHandles.ReplaceAllString(name, ""), "_.-")
	name = cmp.Or(name[:min(len(name), 28)], "trader")
	for number := 1; number < 1000; number++ {
		handle := name
		if number > 1 {
			handle = fmt.Sprint(name, number)
		}
		_, err := s.db.Account(ctx, handle)
		if db.CodeOf(err) == db.NotFound {
			return handle, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

// localPath is a path of this site; the first page instead of another site's.
func localPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\n\r\t") {
		return "/"
	}
	return path
}
