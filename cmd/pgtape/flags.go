package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/pgtape/pgtape/db/tape"
	"github.com/pgtape/pgtape/server"
)

// flagsFromEnv fills the flags that the command line has left out from their PGTAPE_ twins.
func flagsFromEnv(flags *pflag.FlagSet) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || err != nil {
			return
		}
		name := "PGTAPE_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := os.LookupEnv(name)
		if f.Name == "database-url" && !ok {
			name = "DATABASE_URL"
			value, ok = os.LookupEnv(name)
		}
		if !ok {
			return
		}
		if setErr := flags.Set(f.Name, value); setErr != nil {
			err = fmt.Errorf("%s in the environment: %w", name, setErr)
		}
	})
	return err
}

// logFlags choose what is told of the running program, on standard error.
type logFlags struct{ level string }

func (f *logFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.level, "log-level", "info", "debug, info, warn or error")
}

func (f *logFlags) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.level)); err != nil {
		return nil, fmt.Errorf("--log-level %q: want debug, info, warn or error", f.level)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})), nil
}

// serverFlags are those of a command that serves.
type serverFlags struct {
	listen string
	source string
	signUp string
	rules  struct{ marketCreation, openingCredits string }
	oidc   oidcFlags
	drain  time.Duration

	replayLimit int64
	doors       doorFlags
	sites       siteFlags
	pool        poolFlags
	tls         tlsFlags
}

const defaultReplayLimit = 10_000

func (f *serverFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "address of the web UI and the API")
	flags.StringVar(&f.source, "source", "auto", "how the tape is read: auto, wal or notify")
	if f.signUp == "" {
		f.signUp = string(server.Open)
	}
	flags.StringVar(&f.signUp, "sign-up", f.signUp, "who gets an account: handle (signed in by choosing one), open, invite, closed or oidc")
	flags.StringVar(&f.rules.marketCreation, "market-creation", "", "who makes markets: everyone, approved (drafts, until an operator opens them) or operators; kept in the database (pgtape settings)")
	flags.StringVar(&f.rules.openingCredits, "opening-credits", "", "whose new account begins with credits: everyone, invite, oidc (each identity once) or approval; kept in the database (pgtape settings)")
	f.oidc.add(flags)
	flags.Int64Var(&f.replayLimit, "replay-limit", defaultReplayLimit, "events that whoever comes back is sent one by one; who has missed more gets a snapshot")
	f.doors.add(flags)
	f.sites.add(flags)
	f.pool.add(flags)
}

func addDrain(flags *pflag.FlagSet, drain *time.Duration) {
	flags.DurationVar(drain, "drain", 3*time.Second, "at the end, sockets are sent away one by one for so long, while /readyz says 503 and requests are still answered; 0: all at once")
}

func checkDrain(drain time.Duration) error {
	if drain < 0 || drain > time.Minute {
		return fmt.Errorf("--drain %v: want 0s to 1m", drain)
	}
	return nil
}

// check tells what is wrong with the flags before anything is started.
func (f *serverFlags) check() error {
	switch tape.Mode(f.source) {
	case tape.Auto, tape.WAL, tape.Notify:
	default:
		return fmt.Errorf("--source %q: want auto, wal or notify", f.source)
	}
	if f.replayLimit < 1 {
		return fmt.Errorf("--replay-limit %d: want 1 or more events", f.replayLimit)
	}
	if err := checkDrain(f.drain); err != nil {
		return err
	}
	switch server.SignUp(f.signUp) {
	case server.Handle, server.Open, server.Invite, server.Closed:
	case server.OIDC:
		if f.oidc.Issuer == "" {
			return errors.New("--sign-up oidc: needs a provider: --oidc-issuer, --oidc-client-id")
		}
	default:
		return fmt.Errorf("--sign-up %q: want handle, open, invite, closed or oidc", f.signUp)
	}
	if err := errors.Join(f.doors.check(), f.sites.check(), checkFiles(&server.Limits{}, slog.New(slog.DiscardHandler))); err != nil {
		return err
	}
	if err := f.pool.check(); err != nil {
		return err
	}
	if err := f.oidc.check(); err != nil {
		return err
	}
	return f.tls.check()
}
