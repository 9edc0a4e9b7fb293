package doctor_test

import (
	"net"
	"strings"
	"testing"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
	"github.com/pgtape/pgtape/doctor"
)

// Of several servers the one that takes writes is judged, whatever the first one is.
func TestTheServerInUseIsJudged(t *testing.T) {
	t.Parallel()
	p := dbtest.NewPair(t)
	p.First.Exec("alter role " + db.OwnServer + " password 'secret'")
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := closed.Addr().String() // where nobody listens any more
	closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // which accepts and says nothing, as one that hangs
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()

	primary := dbtest.URLs(db.OwnServer, "secret", db.OwnDatabase, p.First)
	both := dbtest.URLs(db.OwnServer, "secret", db.OwnDatabase, p.Second, p.First)
	for name, url := range map[string]string{
		"a standby first":                          both,
		"a dead one first":                         strings.Replace(primary, "@", "@"+dead+",", 1),
		"one that hangs first":                     strings.Replace(primary, "@", "@"+silent.Addr().String()+",", 1),
		"a dead one and a standby, and parameters": strings.Replace(both, "@", "@"+dead+",", 1) + "&target_session_attrs=read-write",
	} {
		r := examine(t, doctor.Options{URL: url})
		if want := portOf(primary); !strings.HasSuffix(r.Host, want) || r.Blocked || len(r.Setups) == 0 || r.Pace.Commit.N == 0 {
			t.Errorf("%s: judged %s (want %s), blocking %v, %d set-ups, %+v", name, r.Host, want, r.Blocking(), len(r.Setups), r.Pace)
		}
	}
	r := examine(t, doctor.Options{URL: dbtest.URLs(db.OwnServer, "secret", db.OwnDatabase, p.Second)})
	if !r.Blocked {
		t.Errorf("a standby alone: %+v", r.Findings)
	}
}

func portOf(url string) string {
	_, host, _ := strings.Cut(url, "@")
	host, _, _ = strings.Cut(host, "/")
	return host[strings.LastIndex(host, ":"):]
}
