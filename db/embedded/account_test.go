package embedded

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// As root, the life of a server is lived once more by an ordinary user.
func TestOrdinaryUser(t *testing.T) {
	nobody := needRoot(t)
	t.Parallel()
	dir := emptyDir(t)
	binary := filepath.Join(dir, "embedded.test")
	// Copied by another process: a file that ours has open to write may be too busy to run.
	if out, err := exec.Command("cp", os.Args[0], binary).CombinedOutput(); err != nil {
		t.Fatalf("copying the test: %v: %s", err, out)
	}
	must(t, os.Chmod(binary, 0o755))
	home := filepath.Join(dir, "home")
	must(t, os.Mkdir(home, 0o700))
	must(t, os.Chown(home, nobody.uid, nobody.gid))

	lives := []string{"TestKeepsDataAndPortAcrossRestarts", "TestRecoversAfterKill9", "TestStalePidFiles", "TestAttach"}
	cmd := exec.Command(binary, "-test.v", "-test.run", "^("+strings.Join(lives, "|")+")$")
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "HOME="+home, "TMPDIR="+home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(nobody.uid), Gid: uint32(nobody.gid)}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, life := range lives {
		if !strings.Contains(string(out), "--- PASS: "+life) {
			t.Errorf("%s did not run:\n%s", life, out)
		}
	}
}

func TestRootRunsTheServerAsAnotherUser(t *testing.T) {
	nobody := needRoot(t)
	t.Parallel()
	for name, owner := range map[string]int{"root's directory": 0, "nobody's directory": nobody.uid} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newDataDir(t)
			must(t, os.Mkdir(dir, 0o700))
			must(t, os.Chown(dir, owner, -1))
			c := start(t, Options{DataDir: dir})

			process, err := os.Stat(filepath.Join("/proc", strconv.Itoa(c.Pid())))
			must(t, err)
			runsAs := int(process.Sys().(*syscall.Stat_t).Uid)
			if runsAs == 0 || (owner != 0 && runsAs != owner) {
				t.Fatalf("the server runs as user %d", runsAs)
			}
			if got := ask(t, c.URL("postgres", "postgres"), "select 'root may enter'"); got != "root may enter" {
				t.Fatal(got)
			}
			// Nobody else may.
			for _, private := range []string{c.SocketDir(), c.dir.pgdata()} {
				stranger := account{uid: 54321, gid: 54321, switched: true}
				if stranger.canEnter(private) {
					t.Errorf("any user may enter %s", private)
				}
			}
		})
	}
}

func TestRootIsToldWhatBarsTheServer(t *testing.T) {
	needRoot(t)
	t.Parallel()
	closed := filepath.Join(emptyDir(t), "closed")
	must(t, os.Mkdir(closed, 0o700))
	_, err := tryStart(t, Options{DataDir: filepath.Join(closed, "deep", "data")})
	mustContain(t, err, "may not enter "+closed+":")
}

func TestSocketFolderOfAStrangerIsRefused(t *testing.T) {
	nobody := needRoot(t)
	t.Parallel()
	taken := filepath.Join(emptyDir(t), "run")
	must(t, os.Mkdir(taken, 0o777))
	must(t, os.Chown(taken, 54321, 54321))
	mustContain(t, nobody.privateDir(taken), "another user")

	link := filepath.Join(emptyDir(t), "run")
	must(t, os.Symlink("/etc", link))
	if err := nobody.privateDir(link); err == nil {
		t.Fatal("a link is followed")
	}
}

// needRoot skips where users cannot be switched, and returns one to switch to.
func needRoot(t *testing.T) account {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to run as another user")
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("there is no user nobody")
	}
	uid, err := strconv.Atoi(u.Uid)
	must(t, err)
	gid, err := strconv.Atoi(u.Gid)
	must(t, err)
	return account{name: "nobody", uid: uid, gid: gid, switched: true}
}
