package main

import "syscall"

// dieWithParent has the kernel end a server when we die, even by kill -9.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGTERM }
