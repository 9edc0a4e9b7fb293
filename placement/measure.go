package placement

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/pgtape/pgtape/db/connect"
)

// How often a way is measured; the median counts.
const samples = 11

// MeasureHTTP is how long an answer of a URL takes on a connection that stands, in milliseconds.
func MeasureHTTP(ctx context.Context, url string) (float64, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	return median(func() error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode >= http.StatusInternalServerError {
			return fmt.Errorf("%s answers %s", url, response.Status)
		}
		_, err = io.Copy(io.Discard, response.Body) // or the connection does not stay
		return err
	})
}

// MeasurePostgres is how long a query takes on a connection that knows it, in milliseconds.
func MeasurePostgres(ctx context.Context, url string) (float64, error) {
	conn, err := connect.Open(ctx, url, connect.Options{})
	if err != nil {
		return 0, fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return median(func() error {
		_, err := conn.Exec(ctx, "select 1")
		return err
	})
}

// median does something several times, not counting the first.
func median(do func() error) (float64, error) {
	if err := do(); err != nil {
		return 0, err
	}
	took := make([]float64, samples)
	for i := range took {
		start := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		took[i] = float64(time.Since(start)) / float64(time.Millisecond)
	}
	slices.Sort(took)
	return took[samples/2], nil
}
