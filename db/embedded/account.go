package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// account is the user that the server's programs run as: ourselves, unless we are root, as whom
// Postgres refuses to run.
type account struct {
	name     string
	uid, gid int
	switched bool // not ourselves
}

// chooseAccount picks the owner of the data if there is data, or of the directory made for it;
// else, for root, the machine's Postgres user or nobody.
func chooseAccount(dir, pgdata string) (account, error) {
	if os.Geteuid() != 0 {
		a := account{name: strconv.Itoa(os.Geteuid()), uid: os.Geteuid(), gid: os.Getegid()}
		if u, err := user.Current(); err == nil {
			a.name = u.Username
		}
		if owner, ok := ownerOf(pgdata); ok && owner.uid != a.uid {
			return account{}, fmt.Errorf("the data in %s belongs to user %s: run as that user, as root, or choose another data directory", pgdata, owner.name)
		}
		return a, nil
	}
	for _, path := range []string{pgdata, dir} {
		if owner, ok := ownerOf(path); ok && owner.uid != 0 {
			return owner, nil
		}
	}
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		if uidErr == nil && gidErr == nil {
			return account{name: name, uid: uid, gid: gid, switched: true}, nil
		}
	}
	return account{}, errors.New("root may not run Postgres, and there is no user postgres or nobody to run it as: make one (useradd --system postgres), or start as an ordinary user")
}

func ownerOf(path string) (account, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return account{}, false
	}
	st := info.Sys().(*syscall.Stat_t)
	a := account{name: strconv.Itoa(int(st.Uid)), uid: int(st.Uid), gid: int(st.Gid), switched: true}
	if u, err := user.LookupId(a.name); err == nil {
		a.name = u.Username
	}
	return a, true
}

// named says why initdb would fail for an account that the machine has no name for, as those that
// containers are given by number.
func (a account) named() error {
	var unknown user.UnknownUserIdError
	if _, err := user.LookupId(strconv.Itoa(a.uid)); !errors.As(err, &unknown) {
		return nil
	}
	return fmt.Errorf("user id %d has no name on this machine, and PostgreSQL's initdb needs one: give it an entry in /etc/passwd "+
		"(as root: echo 'pgtape:x:%d:%d::/tmp:/bin/sh' >> /etc/passwd), start as a user who has one, or use another Postgres (--database-url)", a.uid, a.uid, a.gid)
}

// command prepares a program to run as the account, in a clean environment.
func (a account) command(path string, args ...string) *exec.Cmd {
	return a.commandContext(context.Background(), path, args...)
}

func (a account) commandContext(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = environment()
	cmd.Dir = "/"
	cmd.WaitDelay = 5 * time.Second // children of a killed program may hold its output open
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if a.switched {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return cmd
}

// reach fails if the account may not enter a directory, and names the first folder on the way
// that bars it. The kernel is asked, since mode bits are not all that decides.
func (a account) reach(dir string) error {
	if !a.switched || a.canEnter(dir) {
		return nil
	}
	barred := dir
	for parent := filepath.Dir(dir); !a.canEnter(parent); parent = filepath.Dir(parent) {
		barred = parent
		if parent == filepath.Dir(parent) {
			break
		}
	}
	return fmt.Errorf("root may not run Postgres, so user %s does, who may not enter %s: choose a place outside %s, or allow it with: chmod o+x %s",
		a.name, barred, barred, barred)
}

func (a account) canEnter(dir string) bool {
	cmd := a.command("/bin/sh", "-c", ":")
	cmd.Dir = dir
	return cmd.Run() == nil
}

// own gives a file or folder in the data directory to the account.
func (a account) own(root *os.Root, name string) error {
	if !a.switched {
		return nil
	}
	return root.Lchown(name, a.uid, a.gid)
}

// privateDir makes a folder that only the account may use, or checks that an existing one is so.
func (a account) privateDir(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if owner := int(info.Sys().(*syscall.Stat_t).Uid); owner != a.uid && owner != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user than %s: remove it", path, a.name)
	}
	if err := f.Chmod(0o700); err != nil {
		return err
	}
	if a.switched {
		return f.Chown(a.uid, a.gid)
	}
	return nil
}
