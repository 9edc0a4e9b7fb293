package delivery

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

var (
	duration     = flag.Duration("delivery.for", 45*time.Second, "how long faults go on")
	faults       = flag.Int("delivery.faults", 36, "how many there are in that time")
	failovers    = flag.Bool("delivery.failovers", false, "all ways in which a standby takes over, not only two")
	underPatroni = flag.Bool("delivery.patroni", false, "have Patroni, which must be installed as must etcd, change the primary")
	seed         = flag.Uint64("delivery.seed", 0, "of the schedule; 0: another each time")
	keep         = flag.String("delivery.keep", "", "a folder for the server's log, to be looked at afterwards")
)

// binary is the pgtape under test.
var binary string

// TestMain builds pgtape, or is a watcher in a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv(asWatcher) != "" {
		os.Exit(watchAlone())
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	flag.Parse()
	dir, err := os.MkdirTemp("", "pgtape-delivery-")
	if err == nil {
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "pgtape")
		var out []byte
		out, err = exec.Command("go", "build", "-o", binary, "../../cmd/pgtape").CombinedOutput()
		if err != nil {
			err = fmt.Errorf("building pgtape: %w\n%s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	return m.Run()
}
