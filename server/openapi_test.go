package server

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var parameter = regexp.MustCompile(`:(\w+)`)

var forPrograms = regexp.MustCompile(`^/(api|ws|healthz|readyz|metrics)(/|$)`)

// TestOpenAPIDescribesTheRoutes holds document and route table together, both ways. Pages and
// assets are for browsers alone.
func TestOpenAPIDescribesTheRoutes(t *testing.T) {
	t.Parallel()
	var document struct {
		OpenAPI string
		Paths   map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(openAPI, &document); err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for path, item := range document.Paths {
		for method := range item {
			if method != "parameters" {
				described[strings.ToUpper(method)+" "+path] = true
			}
		}
	}
	routed := map[string]bool{}
	for _, route := range New(Config{}).echo.Routes() {
		if route.Method == http.MethodHead || !forPrograms.MatchString(route.Path) {
			continue
		}
		path := parameter.ReplaceAllString(route.Path, "{$1}")
		routed[route.Method+" "+path] = true
	}
	if document.OpenAPI != "3.1.0" || !maps.Equal(described, routed) {
		t.Errorf("described %v\nrouted    %v", slices.Sorted(maps.Keys(described)), slices.Sorted(maps.Keys(routed)))
	}
}

func TestOpenAPIHasWhatItRefersTo(t *testing.T) {
	t.Parallel()
	var document map[string]any
	if err := json.Unmarshal(openAPI, &document); err != nil {
		t.Fatal(err)
	}
	references := 0
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				references++
				var at any = document
				for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
					object, _ := at.(map[string]any)
					at = object[name]
				}
				if at == nil {
					t.Errorf("nothing at %s", ref)
				}
			}
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(document)
	if references == 0 {
		t.Error("no reference was found")
	}
}

func TestEveryCodeIsDescribed(t *testing.T) {
	t.Parallel()
	var document struct {
		Components struct {
			Schemas struct {
				Problem struct {
					Properties struct {
						Code struct{ Enum []string }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(openAPI, &document); err != nil {
		t.Fatal(err)
	}
	var codes []string
	for code := range statuses {
		codes = append(codes, string(code))
	}
	slices.Sort(codes)
	described := slices.Sorted(slices.Values(document.Components.Schemas.Problem.Properties.Code.Enum))
	if !slices.Equal(codes, described) {
		t.Errorf("codes %v\ndescribed %v", codes, described)
	}
}
