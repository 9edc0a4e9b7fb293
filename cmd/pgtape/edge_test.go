package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestEdgeServesAnotherServer: two processes, TLS before and between them, and the one beside the
// database killed meanwhile.
func TestEdgeServesAnotherServer(t *testing.T) {
	t.Parallel()
	files, data, address := t.TempDir(), dataDir(t), freeAddress(t)
	certFile, keyFile := filepath.Join(files, "cert.pem"), filepath.Join(files, "key.pem")
	cert, key := newCertificate(t, 1)
	write(t, certFile, cert)
	write(t, keyFile, key)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	client := func() http.Client {
		return http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	}
	speakTLS := []string{"--tls-cert", certFile, "--tls-key", keyFile}
	serve := append([]string{"serve", "--data-dir", data, "--trusted-proxies", "127.0.0.1"}, speakTLS...)
	origin := launch(t, &running{url: "https://" + address, web: client()}, address, serve...)
	mustSQL(t, data, "select create_market('rain', 'Will it?', account => 'house')")

	near := freeAddress(t)
	edge := launch(t, &running{url: "https://" + near, web: client()}, near,
		append([]string{"edge", "--origin", origin.url, "--origin-ca", certFile}, speakTLS...)...)
	t.Cleanup(edge.web.CloseIdleConnections)
	if said := edge.output(); !strings.Contains(said, `msg="origin found" url=`+origin.url) {
		t.Errorf("the edge does not say that it has its origin:\n%s", said)
	}
	if ready := edge.await("/readyz", http.StatusOK); !strings.Contains(ready, `"origin":"live"`) {
		t.Errorf("the edge is ready: %s", ready)
	}
	response, err := edge.web.Post(edge.url+"/api/v1/session", "application/json", strings.NewReader(`{"handle":"ana"}`))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	cookie := response.Header.Get("Set-Cookie")
	if response.StatusCode != http.StatusCreated || !strings.Contains(cookie, "; Secure") {
		t.Errorf("signing in: %s, cookie %q", response.Status, cookie)
	}
	stream, err := edge.web.Get(edge.url + "/api/v1/markets/rain/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	awaitLine(t, stream.Body, `"op":"snapshot"`)
	mustSQL(t, data, "select trade('rain', 'yes', 'buy', shares => 10, max_cost => 6)")
	awaitLine(t, stream.Body, `"op":"event"`)

	origin.stop(syscall.SIGKILL)
	awaitLine(t, stream.Body, `"source":"catching_up"`)
	launch(t, &running{url: origin.url, web: client()}, address, serve...)
	mustSQL(t, data, "select trade('rain', 'no', 'buy', shares => 10, max_cost => 6)")
	awaitLine(t, stream.Body, `"seq":3`)
	edge.await("/readyz", http.StatusOK)
	if said := edge.output(); !strings.Contains(said, "origin lost") || strings.Count(said, "origin found") != 2 {
		t.Errorf("of an origin that was lost and found the edge says\n%s", said)
	}
	began := time.Now()
	if code := edge.stop(syscall.SIGTERM); code != 0 || time.Since(began) > 15*time.Second {
		t.Errorf("exit code %d after %v:\n%s", code, time.Since(began), edge.output())
	}
}

func TestUsageOfAnEdge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		args   []string
		stderr string
	}{
		{"no origin", nil, "--origin is missing"},
		{"an origin that is no server", []string{"--origin", "postgres://10.0.0.5/pgtape"}, "want https://host or http://host:port"},
		{"a part of an origin", []string{"--origin", "https://example.org/m/rain"}, "want https://host"},
		{"no authority", []string{"--origin", "https://example.org", "--origin-ca", "/nowhere.pem"}, "/nowhere.pem"},
		{"no markets", []string{"--origin", "https://example.org", "--max-markets", "0"}, "want 1 or more"},
		{"an end that takes too long", []string{"--origin", "https://example.org", "--drain", "2m"}, "want 0s to 1m"},
		{"a certificate without its key", []string{"--origin", "https://example.org", "--tls-cert", "cert.pem"}, "go together"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := pgtape(t, append([]string{"edge"}, tt.args...)...)
			if code != 2 || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("exit code %d\n%s%s\nwant %q", code, stdout, stderr, tt.stderr)
			}
		})
	}
}
