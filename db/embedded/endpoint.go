package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Endpoint is where a server listens.
type Endpoint struct {
	dataDir string
	record  record
}

// record is what the data directory remembers of its endpoint.
type record struct {
	Version   string `json:"version"`
	BinDir    string `json:"bin_dir"`
	SocketDir string `json:"socket_dir"`
	Port      int    `json:"port"`
}

// Attach finds the server that another process runs on a data directory. The error wraps
// ErrNotRunning when none does.
func Attach(dataDir string) (Endpoint, error) {
	dataDir, err := filepath.Abs(dataDir)
	if err != nil {
		return Endpoint{}, fmt.Errorf("finding the data directory: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(dataDir, recordFileName))
	if errors.Is(err, fs.ErrNotExist) {
		return Endpoint{}, fmt.Errorf("%w: %s has never had one", ErrNotRunning, dataDir)
	}
	if err != nil {
		return Endpoint{}, fmt.Errorf("reading where Postgres listens: %w", err)
	}
	e := Endpoint{dataDir: dataDir}
	if err := json.Unmarshal(text, &e.record); err != nil {
		return Endpoint{}, fmt.Errorf("reading where Postgres listens in %s: %w", dataDir, err)
	}
	socket := filepath.Join(e.SocketDir(), ".s.PGSQL."+strconv.Itoa(e.Port()))
	conn, err := net.DialTimeout("unix", socket, 5*time.Second)
	if errors.Is(err, fs.ErrPermission) {
		return Endpoint{}, fmt.Errorf("the Postgres in %s is another user's: run as the user that started it (%w)", dataDir, err)
	}
	if err != nil {
		return Endpoint{}, fmt.Errorf("%w in %s (%w)", ErrNotRunning, dataDir, err)
	}
	return e, conn.Close()
}

// DataDir is where the data lives.
func (e Endpoint) DataDir() string { return e.dataDir }

// SocketDir is the folder of the unix socket.
func (e Endpoint) SocketDir() string { return e.record.SocketDir }

// Port is the TCP port on 127.0.0.1, and part of the socket's name.
func (e Endpoint) Port() int { return e.record.Port }

// Version is the server's, such as "15.18".
func (e Endpoint) Version() string { return e.record.Version }

// BinDir is the folder of the server's programs.
func (e Endpoint) BinDir() string { return e.record.BinDir }

// Superuser is the name of the role that owns the server.
func (e Endpoint) Superuser() string { return superuser }

// SuperuserPassword is what TCPURL needs for the superuser. Only the user of the server's
// process, and root, can read it.
func (e Endpoint) SuperuserPassword() (string, error) {
	text, err := os.ReadFile(filepath.Join(e.dataDir, passwordFileName))
	if err != nil {
		return "", fmt.Errorf("reading the superuser's password: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// URL connects through the unix socket, which asks no role for a password: its folder keeps
// out everyone but the server's user and root.
func (e Endpoint) URL(role, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database}
	// libpq reads a plus as a plus, and a slash needs no escape.
	dir := strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(e.SocketDir()))
	u.RawQuery = fmt.Sprintf("host=%s&port=%d", dir, e.Port())
	return u.String()
}

// TCPURL connects over 127.0.0.1, which asks every role for its password.
func (e Endpoint) TCPURL(role, password, database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(role, password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(e.Port())),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}
