package e2e_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// desk stands around a server and sees each order before the server does, and its answer before
// the browser does.
type desk struct {
	mu     sync.Mutex
	before func()            // runs before an order is handled
	answer func(int) verdict // what becomes of the answer to the order of that number, from 1
	orders []order
}

// order is one that has arrived.
type order struct {
	key  string
	body string
}

type verdict int

const (
	pass verdict = iota
	drop         // the connection ends before a byte of the answer has left
	lose         // the connection ends before the order has been read
)

func (d *desk) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/trades") {
			next.ServeHTTP(w, r)
			return
		}
		before, answer, number := d.take(r)
		if before != nil {
			before()
		}
		if answer == nil || answer(number) == pass {
			next.ServeHTTP(w, r)
			return
		}
		if answer(number) == drop {
			next.ServeHTTP(httptest.NewRecorder(), r)
		}
		panic(http.ErrAbortHandler) // net/http closes the connection
	})
}

func (d *desk) take(r *http.Request) (before func(), answer func(int) verdict, number int) {
	body, _ := io.ReadAll(r.Body) // what there is: the server judges it
	r.Body = io.NopCloser(bytes.NewReader(body))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.orders = append(d.orders, order{r.Header.Get("Idempotency-Key"), string(body)})
	return d.before, d.answer, len(d.orders)
}

// arrived lists the orders so far.
func (d *desk) arrived() []order {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]order(nil), d.orders...)
}

// next runs something in the instant between an order's quote and the order, once.
func (d *desk) next(run func()) {
	var once sync.Once
	d.mu.Lock()
	defer d.mu.Unlock()
	d.before = func() { once.Do(run) }
}

// answers says what becomes of answers from now on.
func (d *desk) answers(v func(number int) verdict) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = v
}
