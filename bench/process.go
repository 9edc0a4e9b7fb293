package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Processes are what the run is to know the cost of; 0: it does not.
type Processes struct {
	Server   int // pid
	Postgres int // pid of the postmaster, which is meant with all its children
}

// tick is the unit of times in /proc, the same on all of Linux that Go runs on.
const tick = 10 * time.Millisecond

// cpuOf tells how much CPU time a process has taken so far, and not ok where there is no /proc.
func cpuOf(pid int) (time.Duration, bool) {
	fields, ok := statOf(pid)
	if !ok {
		return 0, false
	}
	return time.Duration(fields.user+fields.system) * tick, true
}

// cpuOfFamily tells it of a process and its children, those that have ended included.
func cpuOfFamily(pid int) (time.Duration, bool) {
	own, ok := statOf(pid)
	if !ok {
		return 0, false
	}
	sum := own.user + own.system + own.childUser + own.childSystem
	others, _ := filepath.Glob("/proc/[0-9]*")
	for _, other := range others {
		child, err := strconv.Atoi(filepath.Base(other))
		if err != nil {
			continue
		}
		if fields, ok := statOf(child); ok && fields.parent == pid {
			sum += fields.user + fields.system
		}
	}
	return time.Duration(sum) * tick, true
}

type stat struct {
	parent                               int
	user, system, childUser, childSystem int64 // ticks
}

func statOf(pid int) (s stat, ok bool) {
	if pid == 0 {
		return stat{}, false
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, false
	}
	// The name, in parentheses, may have anything in it.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 15 {
		return stat{}, false
	}
	numbers := make([]int64, 15)
	for i := 1; i < 15; i++ {
		if numbers[i], err = strconv.ParseInt(fields[i], 10, 64); err != nil {
			return stat{}, false
		}
	}
	return stat{int(numbers[1]), numbers[11], numbers[12], numbers[13], numbers[14]}, true
}

// residentOf tells how much memory a process has, in bytes.
func residentOf(pid int) (int64, bool) {
	if pid == 0 {
		return 0, false
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err == nil
}

// Cost is what a run has taken. A figure that is not known is left out.
type Cost struct {
	ServerSeconds   *float64 `json:"server_cpu_seconds,omitempty"`
	PostgresSeconds *float64 `json:"postgres_cpu_seconds,omitempty"`
	// BenchSeconds is what the load generator itself took of the machine that it shared.
	BenchSeconds *float64 `json:"bench_cpu_seconds,omitempty"`

	ServerPerTrade     *float64 `json:"server_us_per_trade,omitempty"`
	PostgresPerTrade   *float64 `json:"postgres_us_per_trade,omitempty"`
	ServerPerDelivered *float64 `json:"server_us_per_delivered,omitempty"` // all that the server did, over the events it delivered

	ServerIdle      *int64   `json:"server_rss_before_bytes,omitempty"` // before the sockets were opened
	ServerJoined    *int64   `json:"server_rss_joined_bytes,omitempty"` // when they were, and nothing was going on yet
	ServerLast      *int64   `json:"server_rss_after_bytes,omitempty"`  // after the run
	PerSocket       *float64 `json:"rss_per_socket_bytes,omitempty"`    // idle
	PerSocketLoaded *float64 `json:"rss_per_socket_loaded_bytes,omitempty"`
}

// Meter reads what processes have taken since it was started.
type Meter struct {
	processes               Processes
	server, postgres, bench time.Duration
}

// Meter starts one.
func (p Processes) Meter() Meter {
	m := Meter{processes: p}
	m.server, _ = cpuOf(p.Server)
	m.postgres, _ = cpuOfFamily(p.Postgres)
	m.bench, _ = cpuOf(os.Getpid())
	return m
}

// Read tells the CPU time since then, in all and for so many trades and delivered events.
func (m Meter) Read(c *Cost, trades, delivered int64) {
	since := func(now time.Duration, ok bool, before time.Duration) *float64 {
		if !ok {
			return nil
		}
		seconds := (now - before).Seconds()
		return &seconds
	}
	now, ok := cpuOf(m.processes.Server)
	c.ServerSeconds = since(now, ok, m.server)
	now, ok = cpuOfFamily(m.processes.Postgres)
	c.PostgresSeconds = since(now, ok, m.postgres)
	now, ok = cpuOf(os.Getpid())
	c.BenchSeconds = since(now, ok, m.bench)
	c.ServerPerTrade, c.PostgresPerTrade = micros(c.ServerSeconds, trades), micros(c.PostgresSeconds, trades)
	c.ServerPerDelivered = micros(c.ServerSeconds, delivered)
}

func micros(seconds *float64, n int64) *float64 {
	if seconds == nil || n == 0 {
		return nil
	}
	each := *seconds * 1e6 / float64(n)
	return &each
}
