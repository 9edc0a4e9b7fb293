package edge

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"sync/atomic"

	"github.com/pgtape/pgtape/db"
)

// Forward sends a request to the origin, for a client at an address that came by a scheme, and the
// answer back. The body has to be there already: what is cut off on the way, the client sends again.
// Errors: Unavailable when the origin has not answered; then nothing has been written.
func (o *Origin) Forward(w http.ResponseWriter, r *http.Request, address, scheme string) error {
	passage := &passage{address: address, scheme: scheme}
	o.forwarded.Add(1)
	o.sent.Add(max(r.ContentLength, 0))
	o.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), passageKey{}, passage)))
	if passage.err == nil || errors.Is(passage.err, context.Canceled) {
		return passage.err
	}
	o.failed.Add(1)
	o.log.Debug("request not answered", "path", r.URL.Path, "err", passage.err)
	e := &db.Error{Code: db.Unavailable, Message: "the server behind this one cannot be reached", Hint: "try again"}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		e.Message = "the server behind this one has not answered: what was asked for may or may not be done"
		e.Hint = "ask again; what has an idempotency key is done once"
	}
	return e
}

// passage is one request on its way through the proxy.
type passage struct {
	address, scheme string
	err             error
}

type passageKey struct{}

func passageOf(r *http.Request) *passage { return r.Context().Value(passageKey{}).(*passage) }

// newProxy is a proxy to the origin and nowhere else, which takes off what belongs to one connection
// and what clients say of proxies. The host stays, as links and the check of Origin depend on it.
func (o *Origin) newProxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Transport: o.link,
		ErrorLog:  log.New(io.Discard, "", 0),
		Rewrite: func(p *httputil.ProxyRequest) {
			passage := passageOf(p.In)
			p.SetURL(o.link.base)
			p.Out.Host = p.In.Host
			h := p.Out.Header
			h.Del("X-Real-Ip")
			h.Set("X-Forwarded-For", passage.address)
			h.Set("X-Forwarded-Proto", passage.scheme)
			h.Set("X-Forwarded-Host", p.In.Host)
		},
		ModifyResponse: func(answer *http.Response) error {
			answer.Header.Del("X-Pgtape-Edge") // of an edge behind this one
			answer.Body = &counted{answer.Body, &o.received}
			return nil
		},
		ErrorHandler: func(_ http.ResponseWriter, r *http.Request, err error) { passageOf(r).err = err },
	}
}

// counted counts what is read.
type counted struct {
	io.ReadCloser
	bytes *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}
