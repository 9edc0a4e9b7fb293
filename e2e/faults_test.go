package e2e_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// faults are what a page must not do: console errors and warnings, exceptions, violations of its
// content policy, dialogs, requests that fail.
type faults struct {
	mu      sync.Mutex
	seen    []string
	allowed []*regexp.Regexp
	dialog  func() // puts a dialog away
}

// listen is called with each event of the browser, in order, and must not wait.
func (f *faults) listen(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		f.add("exception: %s %s", e.ExceptionDetails.Text, description(e.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		if slices.Contains([]string{"error", "warning", "assert"}, string(e.Type)) {
			f.add("console %s: %s", e.Type, arguments(e.Args))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			f.add("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
		}
	case *network.EventLoadingFailed:
		if !e.Canceled {
			f.add("request failed: %s %s %s", e.Type, e.ErrorText, e.BlockedReason)
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			f.add("answer %d: %s", e.Response.Status, e.Response.URL)
		}
	case *cdppage.EventJavascriptDialogOpening:
		f.add("dialog %s: %s", e.Type, e.Message)
		go f.dialog()
	}
}

func (f *faults) add(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, fmt.Sprintf(format, args...))
}

// allow takes patterns of faults that the test brings about itself.
func (f *faults) allow(patterns ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range patterns {
		f.allowed = append(f.allowed, regexp.MustCompile(p))
	}
}

// rival is what a browser says of a socket that was closed while it was being opened: a page that hears
// nothing for a while, as of a machine that is busy, opens a second one and keeps the first that speaks.
var rival = regexp.MustCompile("WebSocket is closed before the connection is established")

// unexpected lists the faults that are not allowed.
func (f *faults) unexpected() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.seen), func(fault string) bool {
		return rival.MatchString(fault) || slices.ContainsFunc(f.allowed, func(p *regexp.Regexp) bool { return p.MatchString(fault) })
	})
}

func arguments(args []*runtime.RemoteObject) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = description(a)
	}
	return strings.Join(words, " ")
}

func description(o *runtime.RemoteObject) string {
	switch {
	case o == nil:
		return ""
	case o.Description != "":
		return o.Description
	}
	return strings.Trim(string(o.Value), `"`)
}

// The watch over pages is worth something only if it sees.
func TestFaultsOfPagesAreSeen(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	tests := []struct{ script, want string }{
		{`setTimeout(() => { throw new Error("boom") })`, "exception: .*boom"},
		{`console.error("boom")`, "console error: boom"},
		{`document.head.append(Object.assign(document.createElement("script"), {textContent: "1"}))`, "security error: .*[Cc]ontent [Ss]ecurity"},
		{`new Image().src = "http://127.0.0.1:9/x.png"`, "request failed: .*csp"},
		{`alert("boom")`, "dialog alert: boom"},
		{`fetch("/api/v1/markets/none")`, "answer 404"},
	}
	p := s.page(t)
	p.goTo("/")
	for _, tt := range tests {
		p.do(tt.script)
		sees := regexp.MustCompile(tt.want)
		p.poll("a fault like "+tt.want, func() bool { return slices.ContainsFunc(p.faults.unexpected(), sees.MatchString) })
	}
	p.faults.allow(".")
}
