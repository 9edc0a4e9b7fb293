package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/hosts"
	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server"
)

func newServe() *cobra.Command {
	var database databaseFlags
	var serving serverFlags
	var logging logFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the markets of a database: web UI, HTTP, WebSocket, SSE",
		Long: `Serve the markets of a database. Without --database-url it runs a Postgres of its own in --data-dir,
which is brought up to date by itself; a database that is named is not: pgtape migrate up.

Everybody may sign up (--sign-up open), or whoever has an invite, or whom an OpenID Connect provider
knows, or nobody. With --sign-up handle choosing a handle is all it takes to be signed in as it: for a
room whose people trust each other. The first admin: pgtape account create HANDLE --role admin`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logging.logger()
			if err != nil {
				return err
			}
			if err := serving.check(); err != nil {
				return err
			}
			d, err := database.serve(cmd, log)
			if err != nil {
				return err
			}
			return errors.Join(serveTLS(cmd.Context(), d, database, serving, log), d.stop())
		},
	}
	database.add(cmd.Flags())
	database.addBranch(cmd.Flags())
	serving.add(cmd.Flags())
	serving.tls.add(cmd.Flags())
	addDrain(cmd.Flags(), &serving.drain)
	logging.add(cmd.Flags())
	return cmd
}

// serveTLS runs the server behind the door that the flags ask for.
func serveTLS(ctx context.Context, d *database, from databaseFlags, f serverFlags, log *slog.Logger) error {
	if !f.tls.on() {
		return serve(ctx, d, f, log, nil, nil)
	}
	directory, err := from.certificates(d)
	if err != nil {
		return err
	}
	door, err := f.tls.open(directory, log)
	if err != nil {
		return err
	}
	return serve(ctx, d, f, log, door, nil)
}

// serve runs the server, and what else a command wants beside it, until ctx ends or one of them
// fails. A nil door is one without TLS.
func serve(ctx context.Context, d *database, f serverFlags, log *slog.Logger, door *tlsDoor, beside func(ctx context.Context, url string) error) error {
	// The heap is small, and mostly what requests leave behind: collected less often than Go would, it
	// gives a hot market a twelfth more trades for some 12 MB.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
	mode := tape.Mode(f.source)
	direct := f.pool.reader(d.server)
	servers := hosts.New(direct)
	options := f.pool.options()
	if direct == d.server {
		options.Servers = servers
	}
	pool, err := db.Open(ctx, d.server, options)
	if err != nil {
		return err
	}
	defer pool.Close()
	if direct != d.server { // a pooler's, past which the reader goes
		pool.Servers().Follow(servers)
	}
	needs, err := pool.CheckNeeds(ctx)
	if err != nil {
		return err
	}
	for _, n := range needs {
		log.Warn("the database lacks something", "what", n.What, "mend", n.Mend)
	}
	warnIfCommitsWait(ctx, direct, log)
	if err := applySettings(ctx, d.owner, map[string]string{
		"market_creation": f.rules.marketCreation, "opening_credits": f.rules.openingCredits,
	}); err != nil {
		return err
	}
	if err := db.CheckSource(ctx, direct, mode); err != nil {
		return err
	}
	nameServed(ctx, d.owner, d.env, log)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	warnIfOpen(listener, f, log)
	scheme, plain := "http", net.Listener(nil)
	if door != nil {
		scheme, listener = "https", tls.NewListener(listener, door.config)
	}
	if f.tls.plain != "" {
		if plain, err = (&net.ListenConfig{}).Listen(ctx, "tcp", f.tls.plain); err != nil {
			return fmt.Errorf("--listen-http: %w", err)
		}
	}

	reader := tape.NewReader(tape.Options{URL: direct, Servers: servers, Mode: mode, Log: log})
	config := server.Config{DB: pool, Reader: reader, SignUp: server.SignUp(f.signUp), OIDC: f.oidc.Provider, Drain: f.drain, Log: log}
	config.Hub.ReplayLimit = f.replayLimit
	config.CacheBytes = f.pool.cacheBytes()
	f.doors.apply(&config)
	if err := checkFiles(&config.Limits, log); err != nil {
		return err
	}
	config.Sites, config.OwnMetrics = f.sites.sites(listener, f.tls, f.doors, log), f.sites.metrics != ""
	s := server.New(config)
	group, ctx := errgroup.WithContext(ctx)
	feeding, fed := context.WithCancel(context.WithoutCancel(ctx)) // sockets are fed until the last is gone
	defer fed()
	group.Go(func() error { return reader.Run(feeding, s.Sink()) })
	group.Go(func() error { return s.Run(feeding) })
	group.Go(func() error {
		defer fed()
		return s.Serve(ctx, listener)
	})
	group.Go(func() error { return f.sites.serveMetrics(ctx, s.MetricsHandler(), log) })
	if plain != nil {
		group.Go(func() error { return servePlain(ctx, plain, listener, door, config.Sites, log) })
	}
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-d.gone():
			return fmt.Errorf("the embedded Postgres has ended: %w", d.cluster.Err())
		}
	})
	url := scheme + "://" + listener.Addr().String()
	log.Info("serving", "url", url)
	if beside != nil {
		group.Go(func() error { return beside(ctx, url) })
	}
	return group.Wait()
}

// warnIfCommitsWait tells of a synchronous standby that is missing. The server starts all the same: people
// may look, and what they trade is answered when the standby is back.
func warnIfCommitsWait(ctx context.Context, url string, log *slog.Logger) {
	var told *db.Error
	if err := db.CheckCommits(ctx, url); errors.As(err, &told) {
		log.Warn("the database lacks something", "what", told.Error(), "mend", told.Hint)
	}
}

// warnIfOpen tells whoever opens the door to the network what signing in is worth.
func warnIfOpen(listener net.Listener, f serverFlags, log *slog.Logger) {
	addr, ok := listener.Addr().(*net.TCPAddr)
	if ok && !addr.IP.IsLoopback() && f.signUp == string(server.Handle) {
		log.Warn("everybody who reaches this address can sign in as anybody: choosing a handle is all it takes", "listen", f.listen)
	}
}

// say tells the person at the terminal.
func say(format string, args ...any) {
	fmt.Fprintln(os.Stdout, printable(fmt.Sprintf(format, args...)))
}

// printable gives a text of several lines for a terminal: what comes from elsewhere, a name or the words
// of a database, cannot move its cursor or change its colours.
func printable(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		cells := strings.Split(line, "\t")
		for k, cell := range cells {
			cells[k] = db.Printable(cell)
		}
		lines[i] = strings.Join(cells, "\t")
	}
	return strings.Join(lines, "\n")
}
