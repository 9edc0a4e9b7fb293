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

// TestOpenAPISaysWhoMayCall of each operation, and describes each frame that a socket may bring.
func TestOpenAPISaysWhoMayCall(t *testing.T) {
	t.Parallel()
	var document struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct {
			Schemas map[string]struct {
				Properties struct{ Op struct{ Const string } }
			}
		}
	}
	if err := json.Unmarshal(openAPI, &document); err != nil {
		t.Fatal(err)
	}
	public := map[string]bool{}
	for _, r := range New(Config{}).routes() {
		public[strings.ToLower(r.method)+" "+parameter.ReplaceAllString(r.path, "{$1}")] = r.who == anybody
	}
	for path, item := range document.Paths {
		for method, text := range item {
			var operation struct{ Security *[]map[string]any }
			if method == "parameters" || json.Unmarshal(text, &operation) != nil {
				continue
			}
			if operation.Security == nil || public[method+" "+path] && len(*operation.Security) > 0 && method+" "+path != "get /api/v1/session" {
				t.Errorf("%s %s: security is %v", method, path, operation.Security)
			}
			if !public[method+" "+path] && operation.Security != nil && len(*operation.Security) == 0 {
				t.Errorf("%s %s is not public", method, path)
			}
		}
	}
	frames := map[string]bool{}
	for _, schema := range document.Components.Schemas {
		frames[schema.Properties.Op.Const] = true
	}
	for _, op := range []string{"snapshot", "subscribed", "event", "quote", "heartbeat", "error"} {
		if !frames[op] {
			t.Errorf("no schema of %s frames", op)
		}
	}
}
