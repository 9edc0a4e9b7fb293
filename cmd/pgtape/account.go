package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/password"
)

func newAccount() *cobra.Command {
	var a accounts
	cmd := &cobra.Command{
		Use:   "account",
		Short: "Make accounts, give roles, reset passwords, invite people, make SQL logins",
		Long: `Make accounts, give roles, reset passwords, invite people: in the database of --database-url, or the
embedded one of a running pgtape demo or serve. The first admin is made so:

  pgtape account create ana --role admin

It prints a link by which ana sets a password; with --password the password is read from standard input.
Links begin with --url, the address that people find the server at.`,
	}
	a.database.add(cmd.PersistentFlags())
	a.database.addBranch(cmd.PersistentFlags())
	cmd.PersistentFlags().StringVar(&a.url, "url", "http://127.0.0.1:8080", "where people find the server, for links")
	cmd.AddCommand(a.create(), a.password(), a.role(), a.list(), a.invite(), a.sqlLogin(), a.approve())
	return cmd
}

// accounts are the commands on the accounts of a database.
type accounts struct {
	database databaseFlags
	url      string
}

// command makes a subcommand that has the database.
func (a *accounts) command(use, short string, arguments int, run func(ctx context.Context, book *db.DB, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(arguments),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := a.database.open(cmd, writes)
			if err != nil {
				return err
			}
			book, err := db.Open(cmd.Context(), d.owner, db.Options{MaxConns: 1})
			if err != nil {
				return err
			}
			defer book.Close()
			return run(cmd.Context(), book, args)
		},
	}
}

func (a *accounts) create() *cobra.Command {
	var role string
	var ask bool
	cmd := a.command("create HANDLE", "Make an account, and a link by which its owner signs in", 1,
		func(ctx context.Context, book *db.DB, args []string) error {
			if err := checkRole(role); err != nil {
				return err
			}
			phc, err := readPassword(ctx, ask, args[0])
			if err != nil {
				return err
			}
			account, err := book.CreateAccount(ctx, args[0], "")
			if err != nil {
				return err
			}
			if db.Role(role) != db.Trader {
				if _, err := book.SetRole(ctx, account.Handle, db.Role(role), ""); err != nil {
					return err
				}
			}
			say("created %s, %s", account.Handle, role)
			return a.letIn(ctx, book, account.Handle, phc)
		})
	cmd.Flags().StringVar(&role, "role", string(db.Trader), "trader, operator or admin")
	cmd.Flags().BoolVar(&ask, "password", false, "read a password from standard input, instead of making a link")
	return cmd
}

func (a *accounts) password() *cobra.Command {
	var ask bool
	cmd := a.command("password HANDLE", "Reset a password: make a link by which the account's owner sets another", 1,
		func(ctx context.Context, book *db.DB, args []string) error {
			phc, err := readPassword(ctx, ask, args[0])
			if err != nil {
				return err
			}
			return a.letIn(ctx, book, args[0], phc)
		})
	cmd.Flags().BoolVar(&ask, "password", false, "read the password from standard input, instead of making a link")
	return cmd
}

// letIn sets a password, or makes a link where there is none.
func (a *accounts) letIn(ctx context.Context, book *db.DB, handle, phc string) error {
	if phc != "" {
		if err := book.SetPassword(ctx, handle, phc, ""); err != nil {
			return err
		}
		say("the password is set; %s is signed out everywhere", handle)
		return nil
	}
	token, expires, err := book.CreateSignInLink(ctx, handle, 24*time.Hour, "")
	if err != nil {
		return err
	}
	say("To set a password and sign in, once, until %s:", expires.Local().Format("2 Jan 15:04"))
	say("  %s/signin#link=%s", strings.TrimSuffix(a.url, "/"), token)
	return nil
}

// role gives a role. Others may be signed in to an account that has no password: they are signed out,
// and its owner gets a link.
func (a *accounts) role() *cobra.Command {
	return a.command("role HANDLE ROLE", "Make an account a trader, an operator or an admin", 2,
		func(ctx context.Context, book *db.DB, args []string) error {
			if err := checkRole(args[1]); err != nil {
				return err
			}
			ways, err := book.WaysIn(ctx, args[0])
			if err != nil {
				return err
			}
			open := args[1] != string(db.Trader) && !ways.Password && ways.Issuer == ""
			if open {
				if _, err := book.RevokeAccess(ctx, args[0], ""); err != nil {
					return err
				}
			}
			account, err := book.SetRole(ctx, args[0], db.Role(args[1]), "")
			if err != nil {
				return err
			}
			say("%s is %s now", account.Handle, account.Role)
			if !open {
				return nil
			}
			say("It had no password, and is signed out everywhere.")
			return a.letIn(ctx, book, account.Handle, "")
		})
}

func (a *accounts) list() *cobra.Command {
	return a.command("list", "List the accounts", 0, func(ctx context.Context, book *db.DB, _ []string) error {
		table := newTable()
		table.row("HANDLE", "ROLE", "PASSWORD", "SESSIONS", "KEYS", "LAST SEEN", "CREATED")
		const page = 500
		for after := ""; ; {
			people, err := book.People(ctx, "", after, page, "")
			if err != nil {
				return err
			}
			for _, p := range people {
				seen := "-"
				if p.LastSeenAt != nil {
					seen = p.LastSeenAt.Format(time.RFC3339)
				}
				guarded := map[bool]string{true: "yes", false: "no"}[p.Guarded]
				table.row(p.Handle, p.Role, guarded, p.Sessions, p.Keys, seen, p.CreatedAt.Format(time.RFC3339))
			}
			if len(people) < page {
				return table.Flush()
			}
			after = people[page-1].Handle
		}
	})
}

// approve gives an account that began with nothing its opening credits.
func (a *accounts) approve() *cobra.Command {
	return a.command("approve HANDLE", "Give an account its opening credits, where it began with none (pgtape settings: opening_credits)", 1,
		func(ctx context.Context, book *db.DB, args []string) error {
			account, err := book.ApproveAccount(ctx, args[0], "")
			if err != nil {
				return err
			}
			say("%s has %s credits", account.Handle, account.Balance)
			return nil
		})
}

func (a *accounts) invite() *cobra.Command {
	var invite db.NewInvite
	var role string
	var days int
	cmd := a.command("invite", "Make a link by which people sign up", 0, func(ctx context.Context, book *db.DB, _ []string) error {
		invite.Role, invite.Life = db.Role(role), time.Duration(days)*24*time.Hour
		code, _, expires, err := book.CreateInvite(ctx, invite, "")
		if err != nil {
			return err
		}
		say("For %d to sign up as %s, until %s:", invite.Uses, role, expires.Local().Format("2 Jan 15:04"))
		say("  %s/signup#invite=%s", strings.TrimSuffix(a.url, "/"), code)
		return nil
	})
	cmd.Flags().IntVar(&invite.Uses, "uses", 1, "how many people it is for")
	cmd.Flags().IntVar(&days, "days", 7, "for how long it is good")
	cmd.Flags().StringVar(&role, "role", string(db.Trader), "as what: trader, operator or admin")
	return cmd
}

func checkRole(role string) error {
	switch db.Role(role) {
	case db.Trader, db.Operator, db.Admin:
		return nil
	}
	return fmt.Errorf("the role %q: want trader, operator or admin", role)
}

// readPassword hashes the password on standard input's first line; empty when it is not asked for.
func readPassword(ctx context.Context, ask bool, handle string) (phc string, err error) {
	if !ask {
		return "", nil
	}
	if isTerminal(os.Stdin) {
		fmt.Fprint(os.Stderr, "Password: ")
		echo("-echo")
		defer fmt.Fprintln(os.Stderr)
		defer echo("echo")
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	secret := strings.TrimRight(line, "\r\n")
	if fault := password.Fault(secret, handle); fault != "" {
		return "", errors.New(fault)
	}
	return password.NewHasher(1).Hash(ctx, secret)
}

// echo has the terminal show what is typed, or not. Where there is no stty it shows it.
func echo(how string) {
	stty := exec.Command("stty", how)
	stty.Stdin = os.Stdin
	_ = stty.Run()
}
