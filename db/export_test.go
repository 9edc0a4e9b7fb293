package db

import "slices"

// MigrateTo lets tests make databases as earlier programs left them.
var MigrateTo = migrateTo

// Refusal is refusal.
var Refusal = refusal

// IsSecret tells the tables that a branch begins without.
func IsSecret(table string) bool { return slices.Contains(secret, table) }
