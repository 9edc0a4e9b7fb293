package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/crypto/acme/autocert"

	"github.com/pgtape/pgtape/server"
)

// tlsFlags say whether the server speaks TLS, and where its certificate comes from.
type tlsFlags struct {
	cert, key string
	hosts     []string // of certificates that are fetched
	plain     string   // address that leads to the other
}

func (f *tlsFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.cert, "tls-cert", "", "file with the certificate (PEM, its chain behind it): --listen speaks TLS. It is read again when it changes")
	flags.StringVar(&f.key, "tls-key", "", "file with the key of --tls-cert")
	flags.StringSliceVar(&f.hosts, "tls-autocert", nil, "names of this server (example.org,…), for which a certificate is fetched from Let's Encrypt, whose terms you accept; wants --listen :443, or --listen-http :80 beside it")
	flags.StringVar(&f.plain, "listen-http", "", "address of a door without TLS, which answers Let's Encrypt, and sends all others to the one with")
}

func (f *tlsFlags) on() bool { return f.cert != "" || len(f.hosts) > 0 }

// check tells what is wrong with the flags.
func (f *tlsFlags) check() error {
	switch {
	case (f.cert == "") != (f.key == ""):
		return errors.New("--tls-cert and --tls-key go together")
	case f.cert != "" && len(f.hosts) > 0:
		return errors.New("--tls-cert or --tls-autocert, not both")
	case f.plain != "" && !f.on():
		return errors.New("--listen-http leads to a door with TLS: give --tls-cert and --tls-key, or --tls-autocert")
	}
	return nil
}

// tlsDoor is how the server speaks TLS.
type tlsDoor struct {
	config *tls.Config
	plain  func(fallback http.Handler) http.Handler // of the door without
}

// open makes the door. Certificates that are fetched are kept in the directory.
func (f *tlsFlags) open(directory string, log *slog.Logger) (*tlsDoor, error) {
	if len(f.hosts) > 0 {
		manager := &autocert.Manager{Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(f.hosts...), Cache: autocert.DirCache(directory)}
		return &tlsDoor{manager.TLSConfig(), manager.HTTPHandler}, nil
	}
	c := &certificate{certFile: f.cert, keyFile: f.key, log: log}
	if err := c.load(c.look()); err != nil {
		return nil, fmt.Errorf("--tls-cert: %w", err)
	}
	config := &tls.Config{GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}
	return &tlsDoor{config, func(fallback http.Handler) http.Handler { return fallback }}, nil
}

// certificate is that of two files. When they change it is read again, by the next who connects;
// while they cannot be read, because the second is still to come, say, the one there was stays.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	seen   versions // when it was last tried to read them
}

// versions tell whether one of the files has changed.
type versions [2]struct {
	at   time.Time
	size int64
}

func (c *certificate) look() (v versions) {
	for i, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
			v[i].at, v[i].size = info.ModTime(), info.Size()
		}
	}
	return v
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	now := c.look()
	c.mu.Lock()
	defer c.mu.Unlock()
	if now != c.seen {
		if err := c.load(now); err != nil {
			c.log.Warn("the certificate has changed, but cannot be used; the one before stays", "err", err)
		} else {
			c.log.Info("the certificate has changed", "cert", c.certFile)
		}
	}
	return c.loaded, nil
}

func (c *certificate) load(now versions) error {
	c.seen = now
	loaded, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err == nil {
		c.loaded = &loaded
	}
	return err
}

// servePlain answers on the door without TLS until ctx ends.
func servePlain(ctx context.Context, plain, secure net.Listener, door *tlsDoor, sites server.Sites, log *slog.Logger) error {
	_, port, err := net.SplitHostPort(secure.Addr().String())
	if err != nil {
		return fmt.Errorf("serving without TLS: %w", err)
	}
	server := &http.Server{
		Handler:     door.plain(toSecure(port, sites)),
		ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(plain); ctx.Err() == nil {
		return fmt.Errorf("serving without TLS: %w", err)
	}
	return nil
}

// toSecure sends readers to the same address with TLS. Others have sent already what nobody should
// have read on the way: they are told to use the right address.
func toSecure(port string, sites server.Sites) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "use https", http.StatusBadRequest)
			return
		}
		host := r.Host
		if !sites.Knows(host) {
			http.Error(w, "this server is not known by that name", http.StatusForbidden)
			return
		}
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if port != "443" {
			host = net.JoinHostPort(host, port)
		}
		w.Header().Set("Connection", "close")
		http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusMovedPermanently)
	})
}

// certificates is where those that are fetched are kept: with the data of the embedded Postgres, or
// beside where these would be.
func (f *databaseFlags) certificates(d *database) (string, error) {
	if d.at != nil {
		return filepath.Join(d.at.DataDir(), "certificates"), nil
	}
	return f.dir("-certificates")
}
