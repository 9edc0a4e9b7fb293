package embedded

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	logFileName  = "postgres.log"
	oldLogName   = "postgres.log.1"
	logBound     = 16 << 20 // bytes, of the log and of the one before it
	logCheckTime = 5 * time.Second
	tailBytes    = 2048
)

// logFile is what the server writes its messages to. It is a file, not a pipe to us, so that the
// server neither waits for us nor loses its last words when we are gone.
type logFile struct {
	path  string
	dir   *dataDir
	file  *os.File
	start int64 // the size at the start of the present server
}

func openLog(dir *dataDir) (*logFile, error) {
	f, err := dir.root.OpenFile(logFileName, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of Postgres: %w", err)
	}
	l := &logFile{path: filepath.Join(dir.path, logFileName), dir: dir, file: f}
	if err := dir.account.own(dir.root, logFileName); err != nil {
		f.Close()
		return nil, fmt.Errorf("opening the log of Postgres: %w", err)
	}
	if err := l.trim(); err != nil {
		f.Close()
		return nil, fmt.Errorf("trimming the log of Postgres: %w", err)
	}
	l.start, err = f.Seek(0, io.SeekEnd)
	return l, err
}

// keepBounded trims the log now and then until done. A log that cannot be trimmed is left as
// it is: the server goes on.
func (l *logFile) keepBounded(done <-chan struct{}) {
	tick := time.NewTicker(logCheckTime)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			_ = l.trim()
		}
	}
}

// trim moves the contents of a log that has grown too big to the old one. The server appends to
// the same file, so it is emptied, not renamed; lines written meanwhile may be lost.
func (l *logFile) trim() error {
	info, err := l.file.Stat()
	if err != nil || info.Size() <= logBound {
		return err
	}
	old, err := l.dir.root.OpenFile(oldLogName, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer old.Close()
	if err := l.dir.account.own(l.dir.root, oldLogName); err != nil {
		return err
	}
	newest := io.NewSectionReader(l.file, info.Size()-logBound, logBound)
	if _, err := io.Copy(old, newest); err != nil {
		return err
	}
	if err := old.Close(); err != nil {
		return err
	}
	return l.file.Truncate(0)
}

// tail is the end of what the present server has written.
func (l *logFile) tail() string {
	info, err := l.file.Stat()
	if err != nil {
		return ""
	}
	from := max(info.Size()-tailBytes, 0)
	if l.start <= info.Size() {
		from = max(from, l.start)
	}
	text, _ := io.ReadAll(io.NewSectionReader(l.file, from, tailBytes))
	return strings.TrimSpace(string(text))
}

func (l *logFile) close() { l.file.Close() }
