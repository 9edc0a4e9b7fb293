// Package delivery breaks things while people trade and watch, and then compares what every watcher
// was told with what the database holds.
//
//	go test ./e2e/delivery -delivery.for 30m -delivery.faults 500 -delivery.seed 1 -timeout 40m -v
//
// A world is one Postgres, one pgtape in a process of its own, a link between the two and a link
// between pgtape and its clients. Traders send orders through HTTP and through SQL, and do not let
// go of one before they know what became of it. Watchers follow every market in every way there is.
// Two lanes of faults, drawn from a seed, go on beside each other: one for the database and the
// server, one for the clients. Every so often, and at the end, everything is mended, and everybody
// must get to where the tables stand.
//
//	world_test.go     Postgres, its backups, and the histories that a restore leaves behind
//	node_test.go      the pgtape process and who starts it again
//	faults_test.go    what goes wrong
//	traders_test.go   who trades, and what was acknowledged
//	watchers_test.go  who watches
//	failover_test.go  a standby that takes over, in each of the ways that happen
//	patroni_test.go   the same in the hands of a cluster manager
//	history_test.go   what was seen against what is there
//
// What is promised is in docs/delivery.md.
package delivery
