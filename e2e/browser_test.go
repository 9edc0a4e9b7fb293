package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// chromiums are the names under which browsers are installed. The shell is Chromium without the windows
// and menus around a page, which take more time here than the pages.
var chromiums = []string{
	"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	"/Applications/Chromium.app/Contents/MacOS/Chromium",
}

func findChromium() (string, error) {
	if path := os.Getenv("PGTAPE_TEST_CHROMIUM"); path != "" {
		return exec.LookPath(path)
	}
	for _, name := range chromiums {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("these tests need a browser: install Chromium (apt-get install chromium, or brew install --cask chromium), or name one in PGTAPE_TEST_CHROMIUM")
}

// browser is the process that tests share while they overlap: the first starts it, the last ends it.
var browser struct {
	mu    sync.Mutex
	users int
	ctx   context.Context
	end   context.CancelFunc
}

// shareBrowser returns the browser for the length of a test.
func shareBrowser(t *testing.T) context.Context {
	t.Helper()
	browser.mu.Lock()
	defer browser.mu.Unlock()
	if browser.users == 0 {
		ctx, end, err := startBrowser()
		if err != nil {
			t.Fatalf("starting a browser: %v", err)
		}
		browser.ctx, browser.end = ctx, end
	}
	browser.users++
	t.Cleanup(leaveBrowser)
	return browser.ctx
}

func leaveBrowser() {
	browser.mu.Lock()
	defer browser.mu.Unlock()
	browser.users--
	if browser.users == 0 {
		browser.end()
	}
}

func startBrowser() (context.Context, context.CancelFunc, error) {
	path, err := findChromium()
	if err != nil {
		return nil, nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "en-US"),
		chromedp.WindowSize(1280, 900),
	)
	allocator, closeAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeBrowser := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {}))
	end := func() {
		closeBrowser()
		closeAllocator()
	}
	// The first run starts the process, which lives as long as the context of that run.
	hung := time.AfterFunc(patience, end)
	defer hung.Stop()
	if err := chromedp.Do(ctx); err != nil {
		end()
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return ctx, end, nil
}
