//go:build !linux

package server_test

var vanishing []peer // there is no way to make them here
