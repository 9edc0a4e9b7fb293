// Package e2e holds one end-to-end test per promise: a real Postgres, a real server on a real port,
// real sockets, and a real Chromium that clicks and types.
//
//	site_test.go     a server on a database of its own; it can be stopped, started, and listened in on
//	browser_test.go  one Chromium for all tests, a browser context of its own for each page
//	page_test.go     what a person does and sees on a page
//	faults_test.go   what a page must not do: errors, exceptions, dialogs, broken requests
//	feed_*_test.go   what a page makes of a network that is cut, frozen, slow, or without sockets
//	link/            such a network
//	delivery/        everything broken at once, for as long as one likes
//
// The Chromium is the one of PGTAPE_TEST_CHROMIUM, or else the first that is installed. Without one
// the tests fail: a promise that nobody checked is not kept. With go test -artifacts, a page that
// failed leaves a picture.
package e2e
