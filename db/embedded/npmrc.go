package embedded

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const publicRegistry = "https://registry.npmjs.org/"

// npmSettings are those that the npm client would go by, the strongest first: the environment, then
// .npmrc of the working directory, of the user, of the machine.
type npmSettings []map[string]string

// readNpmSettings reads them where they are; what cannot be read is passed over, as npm does.
func readNpmSettings(environ []string, workDir, home string) npmSettings {
	environment := map[string]string{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if len(name) < len("npm_config_") || !strings.EqualFold(name[:len("npm_config_")], "npm_config_") || value == "" {
			continue
		}
		environment[npmKey(name[len("npm_config_"):])] = value
	}
	settings := npmSettings{environment}
	files := []string{filepath.Join(workDir, ".npmrc"), cmp.Or(environment["userconfig"], filepath.Join(home, ".npmrc"))}
	if global := environment["globalconfig"]; global != "" {
		files = append(files, global)
	} else {
		if prefix := environment["prefix"]; prefix != "" {
			files = append(files, filepath.Join(prefix, "etc/npmrc"))
		}
		files = append(files, "/etc/npmrc", "/usr/etc/npmrc", "/usr/local/etc/npmrc", "/opt/homebrew/etc/npmrc")
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		settings = append(settings, parseNpmrc(string(text), environ))
	}
	return settings
}

// npmKey is the setting that a variable npm_config_… sets.
func npmKey(name string) string {
	if strings.HasPrefix(name, "//") || strings.HasPrefix(name, "_") {
		return name
	}
	return strings.ToLower(strings.ReplaceAll(name, "_", "-"))
}

var npmVariable = regexp.MustCompile(`\$\{([^}?]+)(\?)?\}`)

// parseNpmrc reads lines of name = value; ; and # begin comments, ${NAME} is a variable's value.
func parseNpmrc(text string, environ []string) map[string]string {
	variables := map[string]string{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		variables[name] = value
	}
	found := map[string]string{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == ';' || line[0] == '#' {
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"'`)
		found[name] = npmVariable.ReplaceAllStringFunc(value, func(match string) string {
			m := npmVariable.FindStringSubmatch(match)
			if set, ok := variables[m[1]]; ok || m[2] != "" {
				return set
			}
			return match
		})
	}
	return found
}

func (s npmSettings) get(name string) string {
	for _, level := range s {
		if value := level[name]; value != "" && value != "null" {
			return value
		}
	}
	return ""
}

// registry is where a package is fetched: its scope's registry, or the one for all.
func (s npmSettings) registry(name string) (*url.URL, error) {
	scope, _, _ := strings.Cut(name, "/")
	text := cmp.Or(s.get(scope+":registry"), s.get("registry"), publicRegistry)
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("npm's settings name no registry but %q", text)
	}
	if !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
	}
	return u, nil
}

// authorize gives a request the credentials that are kept for its host and path, and for no other.
func (s npmSettings) authorize(r *http.Request) {
	path := r.URL.EscapedPath()
	for {
		path = path[:strings.LastIndexByte(path, '/')+1]
		place := "//" + r.URL.Host + path + ":"
		if token := s.get(place + "_authToken"); token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
			return
		}
		if both := s.get(place + "_auth"); both != "" {
			r.Header.Set("Authorization", "Basic "+both)
			return
		}
		password, err := base64.StdEncoding.DecodeString(s.get(place + "_password"))
		if user := s.get(place + "username"); user != "" && err == nil {
			r.SetBasicAuth(user, string(password))
			return
		}
		if path = strings.TrimSuffix(path, "/"); path == "" {
			return
		}
	}
}
