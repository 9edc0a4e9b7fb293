package embedded

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// settings are the configuration parameters that callers may choose.
type settings map[string]string

var settingName = regexp.MustCompile(`^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$`)

// ownSettings keep the server private and findable; Start sets them and nobody overrides them.
var ownSettings = []string{
	"listen_addresses", "port", "unix_socket_directories", "unix_socket_permissions", "unix_socket_group",
	"data_directory", "config_file", "hba_file", "ident_file", "external_pid_file",
	"logging_collector", "log_destination",
}

// newSettings are the defaults with what the caller overrides. The server reads the tape by
// logical replication, one sender and slot per reader; a data directory is small at first.
func newSettings(override map[string]string) (settings, error) {
	s := settings{
		"wal_level":             "logical",
		"max_wal_senders":       "20",
		"max_replication_slots": "20",
		"max_connections":       "100",
		"shared_buffers":        "128MB",
		"password_encryption":   "scram-sha-256",
		"log_line_prefix":       "%m [%p] %q%u@%d ",
	}
	for name, value := range override {
		// Postgres takes these spellings for the same.
		name = strings.ToLower(strings.ReplaceAll(name, "-", "_"))
		if !settingName.MatchString(name) || strings.ContainsRune(value, 0) {
			return nil, fmt.Errorf("bad setting %q for the embedded Postgres", name)
		}
		if slices.Contains(ownSettings, name) {
			return nil, fmt.Errorf("the setting %s of the embedded Postgres is not to be changed", name)
		}
		s[name] = value
	}
	return s, nil
}

// args are the postmaster's command-line arguments.
func (s settings) args(r record) []string {
	args := []string{
		"-c", "port=" + strconv.Itoa(r.Port),
		"-c", "listen_addresses=127.0.0.1",
		"-c", `unix_socket_directories="` + r.SocketDir + `"`,
		"-c", "unix_socket_permissions=0700",
		"-c", "logging_collector=off",
		"-c", "log_destination=stderr",
	}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		args = append(args, "-c", name+"="+s[name])
	}
	return args
}
