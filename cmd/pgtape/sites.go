package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/pgtape/pgtape/server"
)

// siteFlags say by which names a server is known, whose pages may use it, and where its metrics are.
type siteFlags struct {
	public  string
	hosts   []string
	origins []string
	metrics string

	url *url.URL // of public, parsed by check
}

func (f *siteFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.public, "public-url", "", "as everybody sees this server (https://markets.example.org): in links and feeds, and requests to other names are refused")
	flags.StringSliceVar(&f.hosts, "allowed-hosts", nil, "further names of this server (example.org,…); addresses and localhost need none")
	flags.StringSliceVar(&f.origins, "allowed-origins", nil, "front ends of your own elsewhere (https://app.example.org,…), whose pages may call the API and open sockets")
	flags.StringVar(&f.metrics, "metrics-listen", "", "address where /metrics is instead of at --listen (127.0.0.1:9090), or none")
}

// check tells what is wrong with the flags.
func (f *siteFlags) check() (err error) {
	if f.url = nil; f.public != "" {
		if f.url, err = parseOrigin(f.public); err != nil {
			return fmt.Errorf("--public-url: %w", err)
		}
	}
	for _, host := range f.hosts {
		if u, err := url.Parse("http://" + host); err != nil || u.Host != host || host == "" {
			return fmt.Errorf("--allowed-hosts %q: want a name such as markets.example.org", host)
		}
	}
	for i, origin := range f.origins {
		if _, err := parseOrigin(origin); err != nil {
			return fmt.Errorf("--allowed-origins, number %d: %w", i+1, err)
		}
	}
	if f.metrics != "" && f.metrics != "none" {
		if _, _, err := net.SplitHostPort(f.metrics); err != nil {
			return fmt.Errorf("--metrics-listen %q: want an address such as 127.0.0.1:9090, or none", f.metrics)
		}
	}
	return nil
}

// parseOrigin reads what a browser calls an origin: a scheme and a host, and nothing behind it.
func parseOrigin(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("want https://NAME, without a login or a path") // it may hold a password: not said
	}
	u.Path, u.Host = "", strings.ToLower(u.Host)
	if port := u.Port(); port == "" || port == map[string]string{"http": "80", "https": "443"}[u.Scheme] { // which browsers leave out
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	return u, nil
}

// sites are what a server is told; one that only this machine reaches, with no proxy that is known of,
// has the machine's names alone.
func (f *siteFlags) sites(listener net.Listener, t tlsFlags, d doorFlags, log *slog.Logger) server.Sites {
	s := server.Sites{Public: f.url, Hosts: append(append([]string(nil), f.hosts...), t.hosts...)}
	for _, origin := range f.origins {
		u, _ := parseOrigin(origin) // check has
		s.Origins = append(s.Origins, u.String())
	}
	addr, ok := listener.Addr().(*net.TCPAddr)
	named := s.Public != nil || len(s.Hosts) > 0
	s.Local = !named && ok && addr.IP.IsLoopback() && len(d.proxies) == 0
	if !named && !s.Local {
		log.Warn("links and feeds name the host that each request names: say what it is with --public-url")
	}
	return s
}

// serveMetrics answers with metrics on an address of their own until ctx ends.
func (f *siteFlags) serveMetrics(ctx context.Context, handler http.Handler, log *slog.Logger) error {
	if f.metrics == "" || f.metrics == "none" {
		return nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.metrics)
	if err != nil {
		return fmt.Errorf("--metrics-listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", handler)
	web := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	stop := context.AfterFunc(ctx, func() { web.Close() })
	defer stop()
	log.Info("metrics", "url", "http://"+listener.Addr().String()+"/metrics")
	if err := web.Serve(listener); ctx.Err() == nil {
		return fmt.Errorf("serving metrics: %w", err)
	}
	return nil
}
