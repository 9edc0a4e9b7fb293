package dbtest

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

const capSysAdmin = 21

// withOwnMounts gives a program mounts of its own. Who is not root needs a user namespace for that, and
// stays who it is in it: Postgres does not run as root.
func withOwnMounts(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		cmd.SysProcAttr.AmbientCaps = []uintptr{capSysAdmin}
	}
	return nil
}

// mountSmallDisk is for a process that withOwnMounts has started: others do not see what it mounts.
func mountSmallDisk(dir string, bytes int) (unmount func(), err error) {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return nil, err
	}
	err = syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, fmt.Sprintf("size=%d,mode=0711", bytes))
	return func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }, err
}
