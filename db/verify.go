package db

import "context"

// oldValues is the invariant of what earlier versions took and this one refuses. It is told, and harms
// nothing: a backup that holds it is restored.
const oldValues = "every value can be shown"

// Violation is one row that breaks an invariant of the book.
type Violation struct {
	Invariant string `json:"invariant"`
	Subject   string `json:"subject"`
	Problem   string `json:"problem"`
}

// Verify proves the whole book; none found means it is sound.
func (d *DB) Verify(ctx context.Context) ([]Violation, error) {
	return all[Violation](ctx, d, "select invariant, subject, problem from pgtape.verify()")
}
