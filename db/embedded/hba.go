package embedded

import (
	"fmt"
	"path"
	"regexp"
)

const hbaName = pgdataName + "/pg_hba.conf"

// copyByAll are the lines by which initdb lets every login that may replicate copy the whole cluster
// (pg_basebackup). Logical decoding, by which the tape is read, needs none of them: it connects to a
// database.
var copyByAll = regexp.MustCompile(`(?m)^((?:local|host)[ \t]+replication[ \t]+)all([ \t])`)

// keepCopiesToSuperuser leaves physical replication to the superuser, also in data of before. Lines of
// others stay.
func keepCopiesToSuperuser(dir *dataDir) error {
	text, err := dir.root.ReadFile(hbaName)
	if err != nil {
		return fmt.Errorf("reading who may connect: %w", err)
	}
	kept := copyByAll.ReplaceAll(text, []byte("${1}"+superuser+"${2}"))
	if string(kept) == string(text) {
		return nil
	}
	const beside = hbaName + ".new"
	err = dir.root.WriteFile(beside, kept, 0o600)
	if err == nil {
		err = dir.account.own(dir.root, beside)
	}
	if err == nil {
		err = dir.root.Rename(beside, hbaName)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path.Base(hbaName), err)
	}
	return nil
}
