package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/pgtape/pgtape/server"
	"github.com/pgtape/pgtape/server/edge"
)

// edgeFlags are those of a server without a database.
type edgeFlags struct {
	origin       string
	authority    string
	listen       string
	markets      int
	replayLimit  int64
	drain        time.Duration
	certificates string
	doors        doorFlags
	sites        siteFlags
	tls          tlsFlags
}

func newEdge() *cobra.Command {
	var f edgeFlags
	var logging logFlags
	cmd := &cobra.Command{
		Use:   "edge --origin URL",
		Short: "Serve the markets of another server from near its users, without a database",
		Long: `Serve the markets of another server, the origin, from near its users. An edge needs no database: it
has the tape from its origin, on one socket for all who watch, answers from memory what it can, and
forwards all other requests over one warm connection.

The origin should believe what the edge says of its clients' addresses, or all of them are one client
to it: pgtape serve --trusted-proxies ADDRESS-OF-THE-EDGE. Give the origin's URL with https, unless
the way there is a network of your own.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logging.logger()
			if err != nil {
				return err
			}
			origin, err := f.check(log)
			if err != nil {
				return err
			}
			return f.serve(cmd.Context(), origin, log)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.origin, "origin", "", "URL of the server beside the database: https://example.org, or http://10.0.0.5:8080")
	flags.StringVar(&f.authority, "origin-ca", "", "file with the authority of the origin's certificate (PEM), if it is none that the system knows")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "address of the web UI and the API")
	flags.IntVar(&f.markets, "max-markets", 1000, "markets that are followed at once: not more than the origin's --max-subscriptions")
	flags.Int64Var(&f.replayLimit, "replay-limit", defaultReplayLimit, "events that whoever comes back is sent one by one; who has missed more gets a snapshot")
	addDrain(flags, &f.drain)
	flags.StringVar(&f.certificates, "certificates", "", "where certificates of --tls-autocert are kept (default: in the user's configuration)")
	f.doors.add(flags)
	f.sites.add(flags)
	f.tls.add(flags)
	logging.add(flags)
	return cmd
}

// check tells what is wrong with the flags before anything is started.
func (f *edgeFlags) check(log *slog.Logger) (*edge.Origin, error) {
	switch {
	case f.origin == "":
		return nil, errors.New("--origin is missing: the URL of the server beside the database")
	case f.markets < 1:
		return nil, fmt.Errorf("--max-markets %d: want 1 or more", f.markets)
	case f.replayLimit < 1:
		return nil, fmt.Errorf("--replay-limit %d: want 1 or more events", f.replayLimit)
	}
	if err := errors.Join(checkDrain(f.drain), f.doors.check(), f.sites.check()); err != nil {
		return nil, err
	}
	if err := f.tls.check(); err != nil {
		return nil, err
	}
	trust, err := f.trust()
	if err != nil {
		return nil, err
	}
	origin, err := edge.New(edge.Options{URL: f.origin, TLS: trust, MaxMarkets: f.markets, Log: log})
	if err != nil {
		return nil, fmt.Errorf("--origin: %w", err)
	}
	return origin, nil
}

// trust is how the origin proves who it is; nil: to the system.
func (f *edgeFlags) trust() (*tls.Config, error) {
	if f.authority == "" {
		return nil, nil
	}
	text, err := os.ReadFile(f.authority)
	if err != nil {
		return nil, fmt.Errorf("--origin-ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--origin-ca: no certificate (PEM) in %s", f.authority)
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, nil
}

// serve runs the edge until ctx ends.
func (f *edgeFlags) serve(ctx context.Context, origin *edge.Origin, log *slog.Logger) error {
	var door *tlsDoor
	if f.tls.on() {
		directory, err := f.certificateDir()
		if err != nil {
			return err
		}
		if door, err = f.tls.open(directory, log); err != nil {
			return err
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	scheme, plain := "http", net.Listener(nil)
	if door != nil {
		scheme, listener = "https", tls.NewListener(listener, door.config)
	}
	if f.tls.plain != "" {
		if plain, err = (&net.ListenConfig{}).Listen(ctx, "tcp", f.tls.plain); err != nil {
			return fmt.Errorf("--listen-http: %w", err)
		}
	}
	var doors server.Config
	f.doors.apply(&doors)
	doors.Hub.ReplayLimit = f.replayLimit
	if err := checkFiles(&doors.Limits, log); err != nil {
		return err
	}
	sites := f.sites.sites(listener, f.tls, f.doors, log)
	e := server.NewEdge(server.EdgeConfig{
		Origin: origin, Hub: doors.Hub, Limits: doors.Limits, Proxies: doors.Proxies, Drain: f.drain, Log: log,
		Sites: sites, OwnMetrics: f.sites.metrics != "",
	})
	group, ctx := errgroup.WithContext(ctx)
	feeding, fed := context.WithCancel(context.WithoutCancel(ctx)) // sockets are fed until the last is gone
	defer fed()
	group.Go(func() error { return e.Run(feeding) })
	group.Go(func() error {
		defer fed()
		return e.Serve(ctx, listener)
	})
	group.Go(func() error { return f.sites.serveMetrics(ctx, e.MetricsHandler(), log) })
	if plain != nil {
		group.Go(func() error { return servePlain(ctx, plain, listener, door, sites, log) })
	}
	log.Info("serving", "url", scheme+"://"+listener.Addr().String(), "origin", f.origin)
	return group.Wait()
}

func (f *edgeFlags) certificateDir() (string, error) {
	if f.certificates != "" {
		return f.certificates, nil
	}
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "pgtape", "certificates"), err
}
