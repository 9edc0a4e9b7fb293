//go:build !linux

package main

import "syscall"

// dieWithParent needs the kernel's help, which only Linux gives.
func dieWithParent(*syscall.SysProcAttr) {}
