package dbtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/embedded"
)

// Own is a Postgres of one test's own, with settings of its own.
type Own struct {
	*embedded.Cluster
	dir     string
	options embedded.Options
}

// NewOwn starts a Postgres with settings, given as name and value by turns. It goes with the test.
func NewOwn(t testing.TB, settings ...string) *Own {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgtape-test-") // not t.TempDir: the server's user has to get in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return NewOwnAt(t, dir, settings...)
}

// NewOwnAt is NewOwn in an empty folder.
func NewOwnAt(t testing.TB, dir string, settings ...string) *Own {
	t.Helper()
	programs := BinDir(t)
	if err := copyTemplate(t.Context(), dir, programs, "empty", nil); err != nil {
		t.Fatal(err)
	}
	chosen := map[string]string{"fsync": "off", "max_connections": "50"}
	for i := 0; i < len(settings); i += 2 {
		chosen[settings[i]] = settings[i+1]
	}
	o := &Own{dir: dir, options: embedded.Options{DataDir: dir, BinDir: programs, Settings: chosen}}
	o.start(t)
	t.Cleanup(func() { _ = o.Stop(context.WithoutCancel(t.Context())) })
	return o
}

func (o *Own) start(t testing.TB) {
	t.Helper()
	cluster, err := embedded.Start(t.Context(), o.options)
	if err != nil {
		t.Fatal(err)
	}
	o.Cluster, o.options.Port = cluster, cluster.Port()
}

// StartAgain starts it once more, on the same port, after it has ended by itself.
func (o *Own) StartAgain(t testing.TB) {
	t.Helper()
	<-o.Done()
	if err := o.Stop(t.Context()); err != nil { // it lets the folder go
		t.Fatal(err)
	}
	o.start(t)
}

// Provisioned gives it what an embedded Postgres of a server has, and opens that as the superuser.
func (o *Own) Provisioned(t testing.TB) *DB {
	t.Helper()
	if err := db.Provision(t.Context(), o.Endpoint); err != nil {
		t.Fatal(err)
	}
	return Open(t, o.URL(o.Superuser(), db.OwnDatabase))
}

// Exec runs statements, each in a transaction of its own, as the superuser on the database postgres.
func (o *Own) Exec(t testing.TB, statements ...string) {
	t.Helper()
	ExecAt(t, o.URL(o.Superuser(), "postgres"), statements...)
}

// Set changes settings that need no restart, and waits until they hold.
func (o *Own) Set(t testing.TB, settings ...string) {
	t.Helper()
	for i := 0; i < len(settings); i += 2 {
		o.Exec(t, "alter system set "+settings[i]+" = '"+settings[i+1]+"'")
	}
	// The postmaster, whose settings new sessions have, has read them when it has said so.
	o.Exec(t, "select pg_reload_conf()")
	for i := 0; i < len(settings); i += 2 {
		for deadline := time.Now().Add(time.Minute); o.setting(t, settings[i]) != settings[i+1]; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s is still %s", settings[i], o.setting(t, settings[i]))
			}
		}
	}
}

func (o *Own) setting(t testing.TB, name string) (value string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), o.URL(o.Superuser(), "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if err := conn.QueryRow(t.Context(), "select current_setting($1)", name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// Secure gives the server a certificate, and TLS with one curve for its key exchange.
func (o *Own) Secure(t testing.TB, curve string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "pgtape test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	o.keep(t, "test.crt", "CERTIFICATE", certificate)
	o.keep(t, "test.key", "PRIVATE KEY", secret)
	o.Set(t, "ssl_cert_file", filepath.Join(o.dir, "test.crt"), "ssl_key_file", filepath.Join(o.dir, "test.key"), "ssl_ecdh_curve", curve, "ssl", "on")
}

// keep writes a file that belongs to the user who runs the server.
func (o *Own) keep(t testing.TB, name, kind string, der []byte) {
	t.Helper()
	path := filepath.Join(o.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := os.Stat(filepath.Join(o.dir, "pgdata"))
	if err != nil {
		t.Fatal(err)
	}
	if owner, ok := data.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Getuid() {
		if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

// PasswordURL is the superuser's over TCP, with the password and some sslmode.
func (o *Own) PasswordURL(t testing.TB, database, sslmode string) string {
	t.Helper()
	password, err := o.SuperuserPassword()
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(o.TCPURL(o.Superuser(), password, database))
	if err != nil {
		t.Fatal(err)
	}
	u.RawQuery = "sslmode=" + sslmode
	return u.String()
}
