// Package embedded runs a real PostgreSQL server, version 14 or newer, as a child of this
// process: found on the machine or fetched once, with a data directory of its own, reachable
// only through a private unix socket and on 127.0.0.1.
//
// A data directory holds
//
//	pgtape.lock         locked as long as the process that named itself in it lives
//	endpoint.json       where the server listens; read by Attach, and for the port to use again
//	superuser.password  for connections over TCP; those over the socket need none
//	pgdata/             what initdb made
//	run/                the socket, unless the path is too long for one
//	postgres.log        what the server says, kept below a bound
//
// Reading order: cluster.go is the life of a server; datadir.go, account.go, orphan.go and
// initdb.go prepare what it needs; binaries.go finds the programs and fetch.go brings them.
//
// The kernel drops the lock whenever its owner dies, and a postmaster that has outlived its
// owner is recognised by its working directory, so no way of dying needs a repair by hand.
package embedded
