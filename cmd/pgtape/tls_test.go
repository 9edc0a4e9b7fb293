package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pgtape/pgtape/server"
)

// newCertificate makes one for this machine and for example.test, and its key, in PEM.
func newCertificate(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "example.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		DNSNames: []string{"example.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: text})
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// serialAt is the number of the certificate that somebody who connects gets.
func serialAt(t *testing.T, address string, config *tls.Config) int64 {
	t.Helper()
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestServeSpeaksTLS(t *testing.T) {
	t.Parallel()
	files, data, address, plain := t.TempDir(), dataDir(t), freeAddress(t), freeAddress(t)
	certFile, keyFile := filepath.Join(files, "cert.pem"), filepath.Join(files, "key.pem")
	cert, key := newCertificate(t, 1)
	next, nextKey := newCertificate(t, 2)
	write(t, certFile, cert)
	write(t, keyFile, key)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	roots.AppendCertsFromPEM(next)
	trusting := &tls.Config{RootCAs: roots}

	r := &running{url: "https://" + address}
	r.web.Transport = &http.Transport{TLSClientConfig: trusting.Clone(), ForceAttemptHTTP2: true}
	launch(t, r, address, "serve", "--data-dir", data, "--tls-cert", certFile, "--tls-key", keyFile, "--listen-http", plain, "--rate-sign-ins", "1")
	t.Cleanup(r.web.CloseIdleConnections)

	// A page, over HTTP/2; the cookie stays on TLS.
	response, err := r.web.Post(r.url+"/api/v1/session", "application/json", strings.NewReader(`{"handle":"ana"}`))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.ProtoMajor != 2 || response.StatusCode != http.StatusCreated || response.Header.Get("Strict-Transport-Security") == "" ||
		!strings.Contains(response.Header.Get("Set-Cookie"), "; Secure") {
		t.Errorf("%s %s %v", response.Proto, response.Status, response.Header)
	}
	again, err := r.web.Post(r.url+"/api/v1/session", "application/json", strings.NewReader(`{"handle":"ana"}`))
	if err != nil {
		t.Fatal(err)
	}
	again.Body.Close()
	if again.StatusCode != http.StatusTooManyRequests || again.Header.Get("Retry-After") == "" {
		t.Errorf("beyond --rate-sign-ins: %s", again.Status)
	}
	if conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11}); err == nil {
		conn.Close()
		t.Error("speaks TLS 1.1")
	}

	// A stream, over HTTP/2.
	mustSQL(t, data, "select create_market('rain', 'Will it?', account => 'house')")
	stream, err := r.web.Get(r.url + "/api/v1/markets/rain/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	awaitLine(t, stream.Body, `"op":"snapshot"`)
	mustSQL(t, data, "select trade('rain', 'yes', 'buy', shares => 10, max_cost => 6)")
	awaitLine(t, stream.Body, `"op":"event"`)

	// A socket, over HTTP/1.1, which goes on while the certificate is replaced.
	dialer := websocket.Dialer{TLSClientConfig: trusting.Clone(), HandshakeTimeout: 20 * time.Second}
	socket, _, err := dialer.Dial("wss://"+address+"/ws", http.Header{"Origin": {r.url}})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	hears := func() {
		t.Helper()
		_ = socket.SetReadDeadline(time.Now().Add(20 * time.Second))
		if err := socket.WriteMessage(websocket.TextMessage, []byte(`{"op":"subscribe","market":"nosuch"}`)); err != nil {
			t.Fatal(err)
		}
		for {
			_, frame, err := socket.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(frame, []byte("not_found")) {
				return
			}
		}
	}
	hears()
	write(t, certFile, next) // its key is still the old one
	if serial := serialAt(t, address, trusting); serial != 1 {
		t.Errorf("half replaced: certificate %d", serial)
	}
	write(t, keyFile, nextKey)
	if serial := serialAt(t, address, trusting); serial != 2 {
		t.Errorf("replaced: certificate %d", serial)
	}
	write(t, keyFile, []byte("none"))
	if serial := serialAt(t, address, trusting); serial != 2 {
		t.Errorf("spoilt: certificate %d", serial)
	}
	if !strings.Contains(r.output(), "cannot be used") {
		t.Errorf("nothing in the log:\n%s", r.output())
	}
	hears()

	// The door without TLS.
	web := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	moved, err := web.Get("http://" + plain + "/m/rain?x=%2F")
	if err != nil {
		t.Fatal(err)
	}
	moved.Body.Close()
	if moved.StatusCode != http.StatusMovedPermanently || moved.Header.Get("Location") != r.url+"/m/rain?x=%2F" {
		t.Errorf("%s to %s", moved.Status, moved.Header.Get("Location"))
	}
	refused, err := web.Post("http://"+plain+"/api/v1/session", "application/json", strings.NewReader(`{"handle":"ana"}`))
	if err != nil {
		t.Fatal(err)
	}
	refused.Body.Close()
	if refused.StatusCode != http.StatusBadRequest {
		t.Errorf("a secret without TLS: %s", refused.Status)
	}
}

// TestFetchedCertificatesAreOfNamedHosts, and come from where they are kept, over restarts.
func TestFetchedCertificatesAreOfNamedHosts(t *testing.T) {
	t.Parallel()
	kept := t.TempDir()
	cert, key := newCertificate(t, 7)
	write(t, filepath.Join(kept, "example.test"), append(key, cert...))
	door, err := (&tlsFlags{hosts: []string{"example.test"}}).open(kept, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", door.config)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Listener.Close()
	server.Listener = listener
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	server.Start()
	t.Cleanup(server.Close)

	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	if serial := serialAt(t, listener.Addr().String(), &tls.Config{RootCAs: roots, ServerName: "example.test"}); serial != 7 {
		t.Errorf("certificate %d", serial)
	}
	if conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, ServerName: "evil.example"}); err == nil {
		conn.Close()
		t.Error("has a certificate for another host")
	}

	plain := door.plain(toSecure("443", knownAs("example.test")))
	for path, want := range map[string]int{"/.well-known/acme-challenge/nosuch": http.StatusNotFound, "/m/rain": http.StatusMovedPermanently} {
		answer := httptest.NewRecorder()
		plain.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://example.test"+path, nil))
		if answer.Code != want {
			body, _ := io.ReadAll(answer.Body)
			t.Errorf("%s: %d %s", path, answer.Code, body)
		}
	}
}

func TestUsageOfDoors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		args   []string
		stderr string
	}{
		{"a certificate without its key", []string{"--tls-cert", "cert.pem"}, "go together"},
		{"two kinds of certificates", []string{"--tls-cert", "cert.pem", "--tls-key", "key.pem", "--tls-autocert", "example.org"}, "not both"},
		{"a door without TLS alone", []string{"--listen-http", ":80"}, "--tls-autocert"},
		{"a negative rate", []string{"--rate-trades", "-1"}, "--rate-trades -1: want 0 (no limit) or more"},
		{"a rate that is none", []string{"--rate-quotes", "NaN"}, "--rate-quotes NaN"},
		{"a proxy that is none", []string{"--trusted-proxies", "here"}, "want an address or a network"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := pgtape(t, append([]string{"serve", "--data-dir", t.TempDir()}, tt.args...)...)
			if code != 2 || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("exit code %d\n%s%s\nwant %q", code, stdout, stderr, tt.stderr)
			}
		})
	}
}

func knownAs(host string) server.Sites { return server.Sites{Hosts: []string{host}} }
