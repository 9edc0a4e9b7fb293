package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db/connect"
	"github.com/pgtape/pgtape/db/embedded"
)

// Branches are databases beside another one, the parent, on the same server: copies of it as it was
// at a moment, which go their own way. A branch is known by the comment on its database, and
// no database without one is touched.
type Branches struct {
	parent string              // database
	admin  string              // URL of a login that may make databases
	owner  string              // role that a branch belongs to; empty: the login's own
	at     func(string) string // URL of the login that owns the tables of a database
}

// secret are the tables that a branch begins without: what lets somebody in, and who he is elsewhere.
// Browsers, programs and passwords of the parent are nobody on the branch.
var secret = []string{"session", "credential", "api_key", "sign_in_link", "invite", "identity", "oidc_flow"}

// Branch is what is known of one without looking into it.
type Branch struct {
	Name       string    `json:"name"`
	Of         string    `json:"of"` // the parent
	Made       time.Time `json:"made"`
	SchemaOnly bool      `json:"schema_only,omitempty"`
	Database   string    `json:"-"`
	Size       int64     `json:"-"` // bytes; 0 where it may not be asked
}

// BranchHeads sum up how far a branch has come.
type BranchHeads struct {
	Markets int64
	Events  int64 // the versions of all markets and of the house together
}

// BranchesOf are those of the database of a URL, whose login owns its tables and may make databases.
// Errors: InvalidRequest.
func BranchesOf(url string) (*Branches, error) {
	config, err := connect.Config(url, connect.Options{})
	if err != nil {
		return nil, Errorf(InvalidRequest, "%w", err)
	}
	return &Branches{parent: config.Database, admin: url, at: func(name string) string { return connect.WithDatabase(url, name) }}, nil
}

// BranchesOfOwn are those of the database of an embedded Postgres.
func BranchesOfOwn(e embedded.Endpoint) *Branches {
	return &Branches{
		parent: OwnDatabase, admin: e.URL(e.Superuser(), "postgres"), owner: OwnOwner,
		at: func(name string) string { return e.URL(OwnOwner, name) },
	}
}

var branchName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,30}$`)

// databaseOf is the database of a branch.
func (b *Branches) databaseOf(name string) (string, error) {
	if !branchName.MatchString(name) {
		return "", Errorf(InvalidRequest, "%q is no name of a branch: want up to 31 of a-z, 0-9, _ and -, a letter first", name)
	}
	database := b.parent + "_branch_" + name
	if len(database) > 63 {
		return "", Errorf(InvalidRequest, "%s is too long for the name of a database: choose a shorter name for the branch", database)
	}
	return database, nil
}

// URLOf is the URL of the login that owns a branch's tables.
func (b *Branches) URLOf(branch Branch) string { return b.at(branch.Database) }

const branchMark = "pgtape branch "

// List returns the branches of the parent by name.
// Errors: Unavailable.
func (b *Branches) List(ctx context.Context) ([]Branch, error) {
	conn, err := connect.Open(ctx, b.admin, connect.Options{Unlimited: true})
	if err != nil {
		return nil, connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return b.list(ctx, conn)
}

func (b *Branches) list(ctx context.Context, conn *pgx.Conn) ([]Branch, error) {
	rows, err := conn.Query(ctx, `
		select d.datname, shobj_description(d.oid, 'pg_database'),
		       case when has_database_privilege(d.oid, 'connect') then pg_database_size(d.oid) else 0 end
		from pg_database d
		where shobj_description(d.oid, 'pg_database') like 'pgtape branch {%'
		order by d.datname`)
	if err != nil {
		return nil, refusal(err)
	}
	var list []Branch
	var database, comment string
	var size int64
	_, err = pgx.ForEachRow(rows, []any{&database, &comment, &size}, func() error {
		branch := Branch{Database: database, Size: size}
		if json.Unmarshal([]byte(strings.TrimPrefix(comment, branchMark)), &branch) != nil || branch.Of != b.parent {
			return nil
		}
		if named, err := b.databaseOf(branch.Name); err != nil || named != database {
			return nil // renamed, or somebody else's comment
		}
		list = append(list, branch)
		return nil
	})
	return list, refusal(err)
}

// Find returns a branch.
// Errors: NotFound, InvalidRequest, Unavailable.
func (b *Branches) Find(ctx context.Context, name string) (Branch, error) {
	conn, err := connect.Open(ctx, b.admin, connect.Options{Unlimited: true})
	if err != nil {
		return Branch{}, connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return b.find(ctx, conn, name)
}

func (b *Branches) find(ctx context.Context, conn *pgx.Conn, name string) (Branch, error) {
	if _, err := b.databaseOf(name); err != nil {
		return Branch{}, err
	}
	list, err := b.list(ctx, conn)
	for _, branch := range list {
		if branch.Name == name {
			return branch, nil
		}
	}
	if err != nil {
		return Branch{}, err
	}
	return Branch{}, &Error{
		Code: NotFound, Message: fmt.Sprintf("%s has no branch %s", b.parent, name),
		Hint: "pgtape branch list tells which there are",
	}
}

// Heads looks into a branch.
// Errors: NotPermitted, Unavailable.
func (b *Branches) Heads(ctx context.Context, branch Branch) (heads BranchHeads, err error) {
	conn, err := connect.Open(ctx, b.URLOf(branch), connect.Options{})
	if err != nil {
		return heads, connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx, "select count(*) filter (where slug <> 'house'), coalesce(sum(version), 0) from pgtape.heads").Scan(&heads.Markets, &heads.Events)
	return heads, refusal(err)
}

// Create makes a branch of the parent as it is at this moment, while trading goes on there, brought
// up to date and audited; or, schemaOnly, one without a market. If it fails, there is none.
// Errors: InvalidRequest, AlreadyExists, NotPermitted when the login may not make databases or read
// the parent's tables, Unavailable.
func (b *Branches) Create(ctx context.Context, name string, schemaOnly bool) (branch Branch, err error) {
	branch = Branch{Name: name, Of: b.parent, Made: time.Now().UTC().Truncate(time.Second), SchemaOnly: schemaOnly}
	if branch.Database, err = b.databaseOf(name); err != nil {
		return branch, err
	}
	conn, err := connect.Open(ctx, b.admin, connect.Options{Unlimited: true})
	if err != nil {
		return branch, connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := b.makeDatabase(ctx, conn, branch); err != nil {
		return branch, err
	}
	if schemaOnly {
		err = b.makeEmpty(ctx, branch)
	} else {
		err = b.copyParent(ctx, branch)
	}
	if err == nil {
		err = SetEnvironment(ctx, b.URLOf(branch), "branch:"+name)
	}
	if err != nil {
		err = errors.Join(err, drop(context.WithoutCancel(ctx), conn, branch))
	}
	return branch, err
}

func (b *Branches) makeDatabase(ctx context.Context, conn *pgx.Conn, branch Branch) error {
	database := pgx.Identifier{branch.Database}.Sanitize()
	statement := "create database " + database
	if b.owner != "" {
		statement += " owner " + b.owner
	}
	_, err := conn.Exec(ctx, statement)
	if pg := pgErrorOf(err); pg != nil {
		switch pg.Code {
		case "42P04", "23505":
			return &Error{
				Code: AlreadyExists, Message: fmt.Sprintf("there is a database %s already", branch.Database),
				Hint: "choose another name, or: pgtape branch delete " + branch.Name, cause: err,
			}
		case "42501":
			return &Error{
				Code: NotPermitted, Message: "the login may not make databases",
				Hint: "alter role <login> createdb", cause: err,
			}
		}
	}
	if err != nil {
		return fmt.Errorf("making the database: %w", refusal(err))
	}
	mark, err := json.Marshal(branch)
	if err == nil {
		_, err = conn.Exec(ctx, "comment on database "+database+" is '"+strings.ReplaceAll(branchMark+string(mark), "'", "''")+"'")
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("marking the database: %w", refusal(err)), drop(context.WithoutCancel(ctx), conn, branch))
	}
	return err
}

func (b *Branches) makeEmpty(ctx context.Context, branch Branch) error {
	if _, err := MigrateUp(ctx, b.URLOf(branch)); err != nil {
		return err
	}
	if b.owner == OwnOwner {
		return provisionAccount(ctx, b.URLOf(branch))
	}
	return nil
}

// copyParent goes through a file, which is gone afterwards. A template would be quicker, but wants
// nobody to be connected to the parent.
func (b *Branches) copyParent(ctx context.Context, branch Branch) error {
	file, err := os.CreateTemp("", "pgtape-branch-*")
	if err != nil {
		return fmt.Errorf("making a file for the copy: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	_ = os.Remove(file.Name()) // where an open file may be: nothing is left behind, even by a kill
	if _, err := writeBackup(ctx, b.at(b.parent), file, secret); err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("reading the copy: %w", err)
	}
	if _, err = RestoreBackup(ctx, b.URLOf(branch), file, info.Size()); err == nil && b.owner == OwnOwner {
		err = adoptAccount(ctx, b.URLOf(branch))
	}
	return err
}

// Delete drops a branch, with whoever is connected to it.
// Errors: NotFound, InvalidRequest, NotPermitted, Unavailable.
func (b *Branches) Delete(ctx context.Context, name string) error {
	conn, err := connect.Open(ctx, b.admin, connect.Options{Unlimited: true})
	if err != nil {
		return connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	branch, err := b.find(ctx, conn, name)
	if err != nil {
		return err
	}
	return drop(ctx, conn, branch)
}

func drop(ctx context.Context, conn *pgx.Conn, branch Branch) error {
	if _, err := conn.Exec(ctx, "drop database "+pgx.Identifier{branch.Database}.Sanitize()+" with (force)"); err != nil {
		return fmt.Errorf("dropping %s: %w", branch.Database, refusal(err))
	}
	return nil
}
