package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pgtape/pgtape/client"
)

const callWithin = 30 * time.Second

// caller sends one request after the other on a connection of its own, which it makes again when it
// is lost. It speaks just enough HTTP/1.1: net/http's client would take as much of the machine for a
// request as the server takes to answer it.
type caller struct {
	base   *url.URL
	cookie string
	conn   net.Conn
	in     *bufio.Reader
	out    []byte
	body   []byte // of the answer
}

func newCaller(base string) (*caller, error) {
	u, err := url.Parse(strings.TrimRight(base, "/"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return nil, errors.New("the server's address is not the URL of a server: want http://host:port, without a login") // it may hold a password: not said
	}
	return &caller{base: u}, nil
}

func (c *caller) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// signIn makes the caller act for an account, which is made if the server lets everybody in.
func (c *caller) signIn(ctx context.Context, handle string) error {
	_, err := c.call(ctx, http.MethodPost, "/api/v1/session", "", jsonText(map[string]string{"handle": handle}))
	return err
}

// call sends a request and returns the answer's body, which is good until the next call.
// Errors: *client.Error when it was refused; any other: not known what became of it.
func (c *caller) call(ctx context.Context, method, path, key string, body []byte) ([]byte, error) {
	if c.conn == nil {
		if err := c.connect(ctx); err != nil {
			return nil, err
		}
	}
	status, err := c.exchange(method, path, key, body)
	if err != nil {
		c.close()
		return nil, err
	}
	if status >= 300 {
		return nil, refusal(status, c.body)
	}
	return c.body, nil
}

func (c *caller) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	address := c.base.Host
	if c.base.Port() == "" {
		address = net.JoinHostPort(c.base.Hostname(), map[string]string{"http": "80", "https": "443"}[c.base.Scheme])
	}
	var err error
	if c.base.Scheme == "https" {
		c.conn, err = (&tls.Dialer{}).DialContext(ctx, "tcp", address)
	} else {
		c.conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		c.conn = nil
		return err
	}
	c.in = bufio.NewReader(c.conn)
	return nil
}

func (c *caller) exchange(method, path, key string, body []byte) (status int, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(callWithin)); err != nil {
		return 0, err
	}
	out := c.out[:0]
	out = append(append(append(out, method...), ' '), c.base.Path...)
	out = append(append(append(out, path...), " HTTP/1.1\r\nHost: "...), c.base.Host...)
	if c.cookie != "" {
		out = append(append(out, "\r\nCookie: "...), c.cookie...)
	}
	if key != "" {
		out = append(append(out, "\r\nIdempotency-Key: "...), key...)
	}
	if body != nil {
		out = append(out, "\r\nContent-Type: application/json\r\nContent-Length: "...)
		out = strconv.AppendInt(out, int64(len(body)), 10)
	}
	c.out = append(append(out, "\r\n\r\n"...), body...)
	if _, err := c.conn.Write(c.out); err != nil {
		return 0, err
	}
	return c.answer()
}

// answer reads an answer into c.body.
func (c *caller) answer() (status int, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return 0, errors.New("what answers speaks no HTTP/1.1")
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, fmt.Errorf("reading the answer's status: %w", err)
	}
	length, last := -1, false
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte{':'})
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, fmt.Errorf("reading the answer's length: %w", err)
			}
		case bytes.EqualFold(name, []byte("Connection")):
			last = bytes.EqualFold(value, []byte("close"))
		case bytes.EqualFold(name, []byte("Set-Cookie")):
			pair, _, _ := bytes.Cut(value, []byte{';'})
			if bytes.HasPrefix(pair, []byte("pgtape_session=")) { // others are of no account
				c.cookie = string(pair)
			}
		}
	}
	if err := c.readBody(status, length); err != nil {
		return 0, err
	}
	if last {
		c.close()
	}
	return status, nil
}

func (c *caller) readBody(status, length int) (err error) {
	switch {
	case status == http.StatusNoContent || status == http.StatusNotModified:
		c.body = c.body[:0]
	case length < 0: // in pieces, as the server does with what is long
		c.body, err = io.ReadAll(httputil.NewChunkedReader(c.in))
		if err == nil {
			_, err = c.in.ReadSlice('\n') // the end of the trailers, of which there are none
		}
	default:
		if cap(c.body) < length {
			c.body = make([]byte, length)
		}
		c.body = c.body[:length]
		_, err = io.ReadFull(c.in, c.body)
	}
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}

// refusal reads problem+json.
func refusal(status int, answer []byte) *client.Error {
	var problem struct {
		Code, Title, Detail, Hint string
		Quote                     *client.Quote
	}
	if json.Unmarshal(answer, &problem) != nil || problem.Code == "" {
		return &client.Error{Status: status, Message: fmt.Sprintf("the server answered %d %s", status, http.StatusText(status))}
	}
	message := problem.Detail
	if message == "" {
		message = problem.Title
	}
	return &client.Error{Code: problem.Code, Status: status, Message: message, Hint: problem.Hint, Quote: problem.Quote}
}
