//go:build !linux

package dbtest

import (
	"errors"
	"os/exec"
)

var errOtherSystem = errors.New("small file systems are made on Linux only")

func withOwnMounts(*exec.Cmd) error { return errOtherSystem }

func mountSmallDisk(string, int) (func(), error) { return nil, errOtherSystem }
