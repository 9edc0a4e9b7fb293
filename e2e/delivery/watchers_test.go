package delivery

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pgtape/pgtape/client"
)

// watcher is somebody who follows all markets, and what it was told.
type watcher struct {
	w    *world
	name string
	wait sync.WaitGroup

	process *os.Process  // if it is one of its own
	reading sync.RWMutex // held for writing by whom wants it to stop reading

	mu     sync.Mutex
	told   map[string][]record
	breaks map[string]int // connections that ended, by why
}

// audience is all watchers.
type audience struct {
	w        *world
	stop     context.CancelFunc
	watchers []*watcher
}

func newAudience(w *world) *audience {
	ctx, stop := context.WithCancel(w.t.Context())
	a := &audience{w: w, stop: stop}
	for i := range 3 {
		a.add(fmt.Sprintf("socket%d", i), func(x *watcher) { x.socket(ctx, client.Tape) })
	}
	for i := range 2 {
		a.add(fmt.Sprintf("quotes%d", i), func(x *watcher) { x.socket(ctx, client.Latest) })
		a.add(fmt.Sprintf("poll%d", i), func(x *watcher) { x.poll(ctx) })
		a.add(fmt.Sprintf("alone%d", i), func(x *watcher) { x.alone(ctx, os.Args[0]) })
	}
	a.add("module0", func(x *watcher) { x.alone(ctx, "node", moduleArgs(w)...) })
	a.add("stream0", func(x *watcher) {
		for _, market := range markets {
			x.wait.Go(func() { x.stream(ctx, market) })
		}
	})
	w.t.Cleanup(a.end)
	return a
}

func (a *audience) add(name string, begin func(*watcher)) {
	x := &watcher{w: a.w, name: name, told: map[string][]record{}, breaks: map[string]int{}}
	begin(x)
	a.watchers = append(a.watchers, x)
}

func (a *audience) end() {
	a.stop()
	for _, x := range a.watchers {
		x.wait.Wait()
	}
}

// processes are the watchers that can be stopped, sockets those that can be kept from reading.
func (a *audience) processes() (list []*watcher) {
	for _, x := range a.watchers {
		if x.process != nil {
			list = append(list, x)
		}
	}
	return list
}

func (a *audience) sockets() []*watcher { return a.watchers[:3] }

// at is where the watcher is in a market.
func (x *watcher) at(market string) record {
	x.mu.Lock()
	defer x.mu.Unlock()
	told := x.told[market]
	if len(told) == 0 {
		return record{}
	}
	return told[len(told)-1]
}

// take notes a frame of any kind.
func (x *watcher) take(frame []byte) {
	var head struct {
		Op, Market, Cursor, Kind, Code string
		Seq                            int64
		Prices                         any
	}
	if err := json.Unmarshal(frame, &head); err != nil {
		x.w.t.Errorf("%s: unreadable frame %q: %v", x.name, frame, err)
		return
	}
	r := record{seq: head.Seq, restores: x.w.restores.Load()}
	var err error
	switch head.Op {
	case client.OpSnapshot:
		r.op = toldSnapshot
		r.entry.hash, err = hashOf(head.Cursor)
	case client.OpSubscribed:
		r.op = toldSubscribed
		r.entry.hash, err = hashOf(head.Cursor)
	case client.OpEvent:
		r.op = toldEvent
		r.entry, err = newEntry(head.Kind, head.Cursor, frame)
	case client.OpQuote:
		r.op = toldQuote
		r.entry.prices = digest(head.Prices)
	case client.OpReconnecting:
		x.broken(head.Code)
		return
	default:
		return
	}
	if err != nil {
		x.w.t.Errorf("%s: frame %s: %v", x.name, frame, err)
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.told[head.Market] = append(x.told[head.Market], r)
}

func (x *watcher) broken(why string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.breaks[why]++
}

// socket watches through the Go client.
func (x *watcher) socket(ctx context.Context, mode string) {
	c := client.New(x.w.webURL())
	x.wait.Go(func() {
		defer c.Close()
		if err := watchAll(ctx, c, mode, func(frame []byte) {
			x.reading.RLock()
			defer x.reading.RUnlock()
			x.take(frame)
		}); err != nil {
			x.w.t.Errorf("%s: %v", x.name, err)
		}
	})
}

func watchAll(ctx context.Context, c *client.Client, mode string, take func(frame []byte)) error {
	var subscriptions []client.Subscription
	for _, market := range markets {
		subscriptions = append(subscriptions, client.Subscription{Market: market, Mode: mode})
	}
	return c.Watch(ctx, subscriptions, func(f client.Frame) {
		frame := f.Raw
		if frame == nil {
			frame, _ = json.Marshal(map[string]any{ // cannot fail
				"op": f.Op, "market": f.Market, "seq": f.Seq, "cursor": f.Cursor, "prices": f.Prices, "code": f.Code,
			})
		}
		take(frame)
	})
}

// asWatcher makes the test binary a watcher that prints its frames.
const asWatcher = "PGTAPE_DELIVERY_WATCH"

func watchAlone() int {
	out := bufio.NewWriter(os.Stdout)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // until whoever started it is gone
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	err := watchAll(ctx, client.New(os.Getenv(asWatcher)), client.Tape, func(frame []byte) {
		fmt.Fprintf(out, "%s\n", frame)
		if out.Flush() != nil {
			cancel()
		}
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// alone watches in a process of its own, which prints a frame on each line.
func (x *watcher) alone(ctx context.Context, program string, args ...string) {
	x.w.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), asWatcher+"="+x.w.webURL())
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe() // its end tells the process to end
	must(x.w.t, err)
	stdout, err := cmd.StdoutPipe()
	must(x.w.t, err)
	must(x.w.t, cmd.Start())
	x.process = cmd.Process
	context.AfterFunc(ctx, func() {
		_ = x.process.Signal(syscall.SIGCONT)
		stdin.Close()
	})
	x.wait.Go(func() {
		lines := bufio.NewScanner(stdout)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			x.take(lines.Bytes())
		}
		if err := errors.Join(lines.Err(), cmd.Wait()); err != nil || ctx.Err() == nil {
			x.w.t.Errorf("%s ended: %v", x.name, err)
		}
	})
}

// moduleArgs run the browser's module in Node.
func moduleArgs(w *world) []string {
	return append([]string{"feed_watch.mjs", w.webURL()}, markets...)
}

// poll reads the tape a page at a time, as whoever has no socket does.
func (x *watcher) poll(ctx context.Context) {
	c := client.New(x.w.webURL())
	x.wait.Go(func() {
		defer c.Close()
		cursors := map[string]string{}
		for ctx.Err() == nil {
			for _, market := range markets {
				if err := x.pollOne(ctx, c, market, cursors); err != nil && ctx.Err() == nil {
					x.broken(cmp.Or(client.CodeOf(err), "connection"))
				}
			}
			pause(ctx, 300*time.Millisecond)
		}
	})
}

func (x *watcher) pollOne(ctx context.Context, c *client.Client, market string, cursors map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for {
		page, next, err := x.page(ctx, market, cursors[market])
		if client.CodeOf(err) == client.CodeCursorUnknown {
			state, err := c.Market(ctx, market)
			if err != nil {
				return err
			}
			frame, _ := json.Marshal(map[string]any{ // cannot fail
				"op": client.OpSnapshot, "market": market, "seq": state.Version, "cursor": state.Cursor,
			})
			x.take(frame)
			cursors[market] = state.Cursor
			continue
		}
		if err != nil || len(page) == 0 {
			return err
		}
		for _, event := range page {
			x.take(event)
		}
		cursors[market] = next
	}
}

// page is client.Tape with the events as they come.
func (x *watcher) page(ctx context.Context, market, after string) (events []json.RawMessage, next string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet,
		fmt.Sprintf("%s/api/v1/markets/%s/tape?limit=500&after=%s", x.w.webURL(), market, after), nil)
	if err != nil {
		return nil, "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	var page struct {
		Events []json.RawMessage
		Next   string
		Code   string
	}
	if err := json.NewDecoder(answer.Body).Decode(&page); err != nil {
		return nil, "", err
	}
	if page.Code != "" {
		return nil, "", &client.Error{Code: page.Code, Status: answer.StatusCode, Message: page.Code}
	}
	return page.Events, page.Next, nil
}

// stream follows one market by Server-Sent Events, as an EventSource does: the id of the last event
// goes with the next request.
func (x *watcher) stream(ctx context.Context, market string) {
	last := ""
	for ctx.Err() == nil {
		err := x.streamOnce(ctx, market, &last)
		if ctx.Err() == nil {
			x.broken(fmt.Sprintf("%T", errors.Unwrap(err)))
		}
		pause(ctx, 200*time.Millisecond)
	}
}

const silence = 2500 * time.Millisecond

func (x *watcher) streamOnce(ctx context.Context, market string, last *string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silent := time.AfterFunc(answerWithin, cancel)
	defer silent.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, x.w.webURL()+"/api/v1/markets/"+market+"/stream", nil)
	if err != nil {
		return err
	}
	if *last != "" {
		request.Header.Set("Last-Event-ID", *last)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", answer.Status)
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 16<<20)
	id, data := *last, []byte(nil)
	for lines.Scan() {
		silent.Reset(silence)
		line := lines.Bytes()
		if text, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
			data = bytes.Clone(text)
		} else if text, ok := strings.CutPrefix(string(line), "id: "); ok {
			id = text
		} else if len(line) == 0 && data != nil { // what was cut in the middle was not dispatched
			x.take(data)
			*last, data = id, nil
		}
	}
	return lines.Err()
}
