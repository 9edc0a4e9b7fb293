package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

func TestEmbeddableAnswersMayBeShownElsewhere(t *testing.T) {
	t.Parallel()
	e := echo.New()
	e.Use(secure)
	e.GET("/", func(c echo.Context) error { return c.NoContent(http.StatusOK) }, embeddable)
	answer := httptest.NewRecorder()
	e.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
	h := answer.Header()
	if h.Get("X-Frame-Options") != "" || h.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
		t.Errorf("%v", h)
	}
	policy := h.Get("Content-Security-Policy")
	if !strings.HasSuffix(policy, "frame-ancestors *") || !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'") {
		t.Errorf("%s", policy)
	}
}
