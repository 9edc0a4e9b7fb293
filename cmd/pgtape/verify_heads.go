package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pgtape/pgtape/audit"
	"github.com/pgtape/pgtape/db"
)

// checkHeads holds the history against the heads of a file, if there is one. If all is sound so
// far, it writes today's heads in their place: these contain the earlier ones.
func checkHeads(ctx context.Context, book *db.DB, path string, sound bool) (violations []db.Violation, err error) {
	published, at, err := readHeads(path)
	if err != nil {
		return nil, err
	}
	err = book.ReadBook(ctx, func(b *db.Book) error {
		rewritings, err := auditRewritings(ctx, b)
		if err != nil {
			return err
		}
		var lookupErr error
		lookup := func(market string, seq int64) (string, bool) {
			hash, known, err := b.HashAt(ctx, market, seq)
			lookupErr = errors.Join(lookupErr, err)
			return hash, known
		}
		for _, r := range published.Rewritten(at, rewritings, lookup) {
			fmt.Fprintf(os.Stderr, "%s: %s was %s; publish today's heads in place of those of before\n", r.Invariant, r.Subject, r.Problem)
		}
		found := published.Check(lookup)
		if lookupErr != nil {
			return lookupErr
		}
		violations = violationsOf(found)
		if published != nil {
			fmt.Fprintf(os.Stderr, "held against %d heads of %s\n", len(published), at.Format(time.RFC3339))
		}
		if !sound || len(found) > 0 {
			return nil
		}
		heads, err := b.Heads(ctx)
		if err != nil {
			return err
		}
		return writeHeads(path, heads)
	})
	return violations, err
}

func auditRewritings(ctx context.Context, b *db.Book) ([]audit.Rewriting, error) {
	list, err := b.Rewritings(ctx)
	rewritings := make([]audit.Rewriting, len(list))
	for i, r := range list {
		rewritings[i] = audit.Rewriting{
			At: r.At, Market: r.Market, From: r.FromSeq, Version: r.Version, OldHead: r.OldHead, NewHead: r.NewHead, Why: r.Why,
		}
	}
	return rewritings, err
}

// readHeads reads a file of heads; nil if there is none.
func readHeads(path string) (audit.Heads, time.Time, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, time.Time{}, nil
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	defer file.Close()
	heads, at, err := audit.ReadHeads(file)
	if err != nil {
		return nil, at, fmt.Errorf("%s: %w", path, err)
	}
	return heads, at, nil
}

// writeHeads replaces the file, whole or not at all.
func writeHeads(path string, list []db.HeadHash) error {
	heads := make(audit.Heads, len(list))
	for _, h := range list {
		heads[h.Market] = audit.Head{Seq: h.Seq, Hash: h.Hash}
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	err = errors.Join(audit.WriteHeads(file, time.Now(), heads), file.Chmod(0o644), file.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "wrote %d heads to %s\n", len(heads), path)
	return nil
}
