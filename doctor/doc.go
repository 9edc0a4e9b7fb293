// Package doctor examines a Postgres from where it runs: how far away it is, what a connection, a
// query and a commit cost from here, and what keeps pgtape from working, or working well, on it. It
// leaves nothing behind.
//
// Round trips are counted on the connection itself (meter.go), times are medians of several. Reading
// order: report.go is the examination from end to end; setup.go and pace.go measure, facts.go and
// pooler.go ask; findings.go judges what they have found, and asks nothing.
package doctor
