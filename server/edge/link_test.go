package edge

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// TestRequestsShareOneWarmConnection, with TLS and without; the first finds it there already.
func TestRequestsShareOneWarmConnection(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		const at = 50
		var mu sync.Mutex
		conns, protocols := map[string]int{}, map[int]int{}
		warm, all := make(chan struct{}, 10), make(chan struct{})
		origin := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			conns[r.RemoteAddr]++
			protocols[r.ProtoMajor]++
			if len(conns) == 1 && conns[r.RemoteAddr] == at+1 {
				close(all)
			}
			mu.Unlock()
			if r.URL.Path == "/healthz" {
				_, _ = w.Write([]byte(`{"assets":"abc"}`))
				warm <- struct{}{}
				return
			}
			<-all
		}))
		var speaks http.Protocols
		speaks.SetHTTP1(true)
		speaks.SetUnencryptedHTTP2(true)
		if secure {
			origin.EnableHTTP2 = true
			origin.StartTLS()
		} else {
			origin.Config.Protocols = &speaks
			origin.Start()
		}
		t.Cleanup(origin.Close)
		o := Options{URL: origin.URL}
		if secure {
			o.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
			o.TLS.RootCAs.AddCert(origin.Certificate())
		}
		origins, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		go origins.link.keepWarm(t.Context(), slog.New(slog.DiscardHandler))
		select {
		case <-warm:
		case <-time.After(20 * time.Second):
			t.Fatal("the link does not get warm")
		}
		var asking sync.WaitGroup
		for range at {
			asking.Go(func() {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, origin.URL+"/", nil)
				if err != nil {
					t.Error(err)
					return
				}
				response, err := origins.link.RoundTrip(request)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			})
		}
		asked := make(chan struct{})
		go func() { asking.Wait(); close(asked) }()
		select {
		case <-asked:
		case <-time.After(20 * time.Second):
			t.Fatalf("TLS %v: connections %v", secure, conns)
		}
		if len(conns) != 1 || protocols[2] != at+1 {
			t.Errorf("TLS %v: connections %v, HTTP versions %v; want one, and 2", secure, conns, protocols)
		}
	}
}
