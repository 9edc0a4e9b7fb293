// Package sql holds everything the database is: numbered migrations (schemas, types, tables,
// roles), and the functions, one family a file, which change in place. Both carry goose's
// annotations, so that the stock goose command and psql apply them too.
package sql

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed migrations/*.sql functions/*.sql
var files embed.FS

// digestFile is the last function file. It records the digest of all the others, and so is no part of it.
const digestFile = "99999_digest.sql"

// GrantsFile says who may call and read what, once all functions are there.
const GrantsFile = "00900_grants.sql"

// Roles are those that the migrations make. They belong to the whole cluster: where somebody with the
// right to make roles has made them, and has granted them to the login that migrates, that login needs
// no such right.
var Roles = []string{"pgtape_server", "pgtape_trader", "pgtape_operator", "pgtape_auditor"}

// Migrations returns the numbered migrations.
func Migrations() fs.FS {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err) // the directory is embedded
	}
	return sub
}

// A Function is one file of functions.
type Function struct {
	Name string
	Text string
}

// Functions returns the function files in the order in which they are applied.
func Functions() ([]Function, error) {
	entries, err := fs.ReadDir(files, "functions")
	if err != nil {
		return nil, fmt.Errorf("reading function files: %w", err)
	}
	var functions []Function
	for _, entry := range entries {
		text, err := fs.ReadFile(files, "functions/"+entry.Name())
		if err != nil {
			return nil, fmt.Errorf("reading function file: %w", err)
		}
		functions = append(functions, Function{Name: entry.Name(), Text: string(text)})
	}
	return functions, nil
}

// Digest returns the SHA-256, in hex, over the names and texts of the function files.
func Digest(functions []Function) string {
	hash := sha256.New()
	for _, f := range functions {
		if f.Name != digestFile {
			fmt.Fprintf(hash, "%s\n%s\n", f.Name, f.Text)
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// DigestStatement returns the text of the last function file for a digest.
func DigestStatement(digest string) string {
	return strings.Join([]string{
		"-- +goose Up",
		"-- The digest of the function files before this one; go test ./sql -update rewrites it.",
		"update pgtape_core.function_bundle",
		"set digest = '" + digest + "',",
		"    applied_at = clock_timestamp();",
		"",
	}, "\n")
}
