package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client calls one server, as one account once it is signed in. Its methods may be called by many
// goroutines.
type Client struct {
	base *url.URL
	err  error // what is wrong with the base
	http *http.Client
}

const (
	callWithin = 30 * time.Second
	maxAnswer  = 16 << 20 // bytes
)

// New makes a client of the server at a URL such as http://127.0.0.1:8080. Nothing is sent yet; a
// URL that is none is the error of every call.
func New(baseURL string) *Client {
	base, err := url.Parse(strings.TrimRight(baseURL, "/"))
	if err == nil && (base.Scheme != "http" && base.Scheme != "https" || base.Host == "") {
		err = fmt.Errorf("%q is not the URL of a server: want http://host:port", baseURL)
	}
	jar, _ := cookiejar.New(nil) // cannot fail without options
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return &Client{base: base, err: err, http: &http.Client{Jar: jar, Transport: transport, Timeout: callWithin}}
}

// Close closes the connections that rest. Sockets end with the contexts of Watch.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// NewKey makes an idempotency key: one for each order, the same for its repetitions.
func NewKey() string { return rand.Text() }

// SignIn signs the client in as an account, which is made if the server lets everybody in.
func (c *Client) SignIn(ctx context.Context, handle string) (Account, error) {
	var account Account
	err := c.call(ctx, http.MethodPost, "/api/v1/session", map[string]string{"handle": handle}, nil, &account)
	return account, err
}

// CreateMarket opens a market, which the account funds.
func (c *Client) CreateMarket(ctx context.Context, m NewMarket) (Market, error) {
	var market Market
	err := c.call(ctx, http.MethodPost, "/api/v1/markets", m, nil, &market)
	return market, err
}

// Market finds a market.
func (c *Client) Market(ctx context.Context, slug string) (Market, error) {
	var market Market
	err := c.call(ctx, http.MethodGet, "/api/v1/markets/"+url.PathEscape(slug), nil, nil, &market)
	return market, err
}

// Quote tells what an order would do now.
func (c *Client) Quote(ctx context.Context, market string, q Question) (Quote, error) {
	query := url.Values{"outcome": {q.Outcome}, "side": {q.Side}}
	if q.Shares != "" {
		query.Set("shares", q.Shares)
	}
	if q.Spend != "" {
		query.Set("spend", q.Spend)
	}
	var quote Quote
	path := "/api/v1/markets/" + url.PathEscape(market) + "/quote?" + query.Encode()
	err := c.call(ctx, http.MethodGet, path, nil, nil, &quote)
	return quote, err
}

// Trade carries out an order, once for each idempotency key.
// Errors: *Error when it is refused: then nothing was written, and if the code is CodeStaleQuote
// it has a fresh quote. Any other: not known; ask again with the same key.
func (c *Client) Trade(ctx context.Context, market string, o Order, idempotencyKey string) (Receipt, error) {
	var receipt Receipt
	path := "/api/v1/markets/" + url.PathEscape(market) + "/trades"
	err := c.call(ctx, http.MethodPost, path, o, http.Header{"Idempotency-Key": {idempotencyKey}}, &receipt)
	return receipt, err
}

// Tape reads the events of a market behind a cursor, in order; next is the cursor to go on from.
// An empty cursor stands before the first event.
// Errors: *Error with CodeCursorUnknown when the cursor is not of this market's history.
func (c *Client) Tape(ctx context.Context, market, after string, limit int) (events []Event, next string, err error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if after != "" {
		query.Set("after", after)
	}
	var page struct {
		Events []Event `json:"events"`
		Next   string  `json:"next"`
	}
	err = c.call(ctx, http.MethodGet, "/api/v1/markets/"+url.PathEscape(market)+"/tape?"+query.Encode(), nil, nil, &page)
	return page.Events, page.Next, err
}

// call sends a request and reads the answer into result.
func (c *Client) call(ctx context.Context, method, path string, body any, header http.Header, result any) error {
	if c.err != nil {
		return c.err
	}
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encoding request: %w", err)
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base.String()+path, sent)
	if err != nil {
		return fmt.Errorf("making request: %w", err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading answer: %w", err)
	}
	if response.StatusCode >= 300 {
		return refusal(response.StatusCode, answer)
	}
	if err := json.Unmarshal(answer, result); err != nil {
		return fmt.Errorf("%s %s: malformed answer: %w", method, path, err)
	}
	return nil
}
