package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// configName is the file that is read from the working directory, if it is there.
const configName = "pgtape.toml"

// onlyAsked are the flags that a file cannot set: they say which file and environment, or that
// somebody means what he has typed.
var onlyAsked = []string{"config", "env", "from", "branch", "yes", "all", "help"}

// config is a file that sets flags: keys at the top for all, and a block [env.NAME] for each
// environment.
type config struct {
	path  string
	lines map[string]int // of each key and block, by its full name
	top   map[string]any
	envs  map[string]map[string]any
}

// configure fills the flags that the command line has left out: from the environment, from the file's
// block of the environment that is chosen, from the top of the file.
func configure(cmd *cobra.Command) error {
	flags := cmd.Flags()
	if err := flagsFromEnv(flags); err != nil {
		return err
	}
	c, err := readConfig(flags)
	if err != nil {
		return err
	}
	if c == nil {
		if from := flags.Lookup("from"); from != nil && from.Changed {
			return fmt.Errorf("--from %s: names an environment of %s, and there is no such file here", from.Value, configName)
		}
		return nil
	}
	if err := c.check(knownFlags(cmd.Root())); err != nil {
		return err
	}
	env, err := c.choose(flags)
	if err != nil {
		return err
	}
	if err := c.apply(flags, "env."+env, c.envs[env]); err != nil {
		return err
	}
	return c.apply(flags, "", c.top)
}

// readConfig reads the file that the flags name, or the one of the working directory; nil if there is
// none. An empty --config wants none.
func readConfig(flags *pflag.FlagSet) (*config, error) {
	path := flags.Lookup("config").Value.String()
	named := flags.Changed("config")
	if named && path == "" {
		return nil, nil
	}
	path = cmp.Or(path, configName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	return parseConfig(path, string(text))
}

func parseConfig(path, text string) (*config, error) {
	c := &config{path: path, lines: map[string]int{}, top: map[string]any{}, envs: map[string]map[string]any{}}
	err := toml.Unmarshal([]byte(text), &c.top)
	var malformed *toml.DecodeError
	if errors.As(err, &malformed) {
		line, _ := malformed.Position()
		return nil, fmt.Errorf("%s:%d: %s", path, line, strings.TrimPrefix(malformed.Error(), "toml: "))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c.findLines(text)
	envs, there := c.top["env"]
	delete(c.top, "env")
	if !there {
		return c, nil
	}
	blocks, ok := envs.(map[string]any)
	if !ok {
		return nil, c.wrong("", "env", "env holds the blocks of environments: [env.development]")
	}
	for name, block := range blocks {
		keys, ok := block.(map[string]any)
		if !ok {
			return nil, c.wrong("env", name, "want a block: [env.%s]", name)
		}
		if err := checkEnvironment(name); err != nil {
			return nil, c.wrong("env."+name, "", "%v", err)
		}
		c.envs[name] = keys
	}
	return c, nil
}

var environmentName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,30}$`)

func checkEnvironment(name string) error {
	if !environmentName.MatchString(name) {
		return fmt.Errorf("%q is no name of an environment: want up to 31 of a-z, 0-9, _ and -, a letter first", name)
	}
	return nil
}

// knownFlags are the flags of all commands, so that one file serves them all.
func knownFlags(root *cobra.Command) map[string]*pflag.Flag {
	known := map[string]*pflag.Flag{}
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, flags := range []*pflag.FlagSet{cmd.PersistentFlags(), cmd.LocalNonPersistentFlags()} {
			flags.VisitAll(func(f *pflag.Flag) { known[f.Name] = f })
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(root)
	return known
}

// check tells what is wrong with the file, also in the blocks that are not chosen.
func (c *config) check(known map[string]*pflag.Flag) error {
	if err := c.checkKeys("", c.top, known); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.envs)) {
		if err := c.checkKeys("env."+name, c.envs[name], known); err != nil {
			return err
		}
	}
	return nil
}

func (c *config) checkKeys(block string, keys map[string]any, known map[string]*pflag.Flag) error {
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		f := known[key]
		if slices.Contains(onlyAsked, key) && f != nil {
			return c.wrong(block, key, "%s is for the command line, not for a file", key)
		}
		if f == nil {
			names := slices.DeleteFunc(slices.Collect(maps.Keys(known)), func(name string) bool { return slices.Contains(onlyAsked, name) })
			return c.wrong(block, key, "there is no key %s: %s", key, nearest(key, names))
		}
		if _, err := valueFor(f, keys[key]); err != nil {
			return c.wrong(block, key, "%s %v", key, err)
		}
	}
	return nil
}

// choose finds the environment: the one that is named, else the file's only one, else none. The flag
// says it afterwards.
func (c *config) choose(flags *pflag.FlagSet) (string, error) {
	flag := flags.Lookup("env")
	if from := flags.Lookup("from"); from != nil && from.Changed {
		flag = from
	}
	name := flag.Value.String()
	if name == "" {
		if flag.Changed || len(c.envs) != 1 {
			return "", nil
		}
		for only := range c.envs {
			name = only
		}
		return name, flags.Set("env", name)
	}
	if _, ok := c.envs[name]; !ok && len(c.envs) > 0 {
		names := slices.Sorted(maps.Keys(c.envs))
		return "", fmt.Errorf("--%s: there is no [env.%s] in %s: %s", flag.Name, name, c.path, nearest(name, names))
	}
	return name, nil
}

// apply sets the flags that nothing has set yet. Keys of other commands' flags are theirs.
func (c *config) apply(flags *pflag.FlagSet, block string, keys map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		f := flags.Lookup(key)
		if f == nil || f.Changed {
			continue
		}
		value, err := valueFor(f, keys[key])
		if err == nil {
			err = flags.Set(key, value)
		}
		if err != nil {
			return c.wrong(block, key, "%s: %v", key, err)
		}
	}
	return nil
}

// valueFor writes a value of a file as one of a flag, if it is of the flag's type. Nothing in it is
// expanded.
func valueFor(f *pflag.Flag, value any) (string, error) {
	wants := map[string]string{
		"string": `a string in quotes`, "bool": "true or false", "int": "a whole number", "int64": "a whole number",
		"float64": "a number", "duration": `a duration in quotes such as "3s"`, "stringSlice": `a list of strings`,
	}[f.Value.Type()]
	mismatch := fmt.Errorf("wants %s, and has %s", wants, describe(value))
	switch value := value.(type) {
	case string:
		switch f.Value.Type() {
		case "string":
			return value, nil
		case "duration":
			if _, err := time.ParseDuration(value); err == nil {
				return value, nil
			}
		}
	case bool:
		if f.Value.Type() == "bool" {
			return fmt.Sprint(value), nil
		}
	case int64:
		if slices.Contains([]string{"int", "int64", "float64"}, f.Value.Type()) {
			return fmt.Sprint(value), nil
		}
	case float64:
		if f.Value.Type() == "float64" {
			return fmt.Sprint(value), nil
		}
	case []any:
		if f.Value.Type() != "stringSlice" {
			break
		}
		texts := make([]string, len(value))
		for i, v := range value {
			text, ok := v.(string)
			if !ok || strings.ContainsAny(text, ",\"\n") {
				return "", mismatch
			}
			texts[i] = text
		}
		return strings.Join(texts, ","), nil
	}
	return "", mismatch
}

func describe(value any) string {
	switch value := value.(type) {
	case string:
		return fmt.Sprintf("the string %q", value)
	case map[string]any:
		return "a block"
	case []any:
		return "a list"
	}
	return fmt.Sprint(value)
}

// wrong is an error with the place of a key, or of a block where the key is empty.
func (c *config) wrong(block, key, format string, args ...any) error {
	line := cmp.Or(c.lines[strings.Trim(block+"."+key, ".")], 1)
	return fmt.Errorf("%s:%d: %s", c.path, line, fmt.Sprintf(format, args...))
}

// findLines notes where the keys and blocks of a text are, which has been decoded without an error.
func (c *config) findLines(text string) {
	var parser unstable.Parser
	block := ""
	for parser.Reset([]byte(text)); parser.NextExpression(); {
		if node := parser.Expression(); node.Kind == unstable.KeyValue {
			c.findLine(&parser, node, block)
		} else {
			block = c.findLine(&parser, node, "")
		}
	}
}

// findLine notes the keys of a node that stands in a block, those of an inline table too, and returns the
// node's full name. env.a.listen is in env.a and in env: where these come first counts.
func (c *config) findLine(parser *unstable.Parser, node *unstable.Node, block string) (name string) {
	name = block
	for keys := node.Key(); keys.Next(); {
		name = strings.TrimPrefix(name+"."+string(keys.Node().Data), ".")
		c.lines[name] = cmp.Or(c.lines[name], parser.Shape(keys.Node().Raw).Start.Line)
	}
	if node.Kind == unstable.KeyValue && node.Value().Kind == unstable.InlineTable {
		for inner := node.Value().Children(); inner.Next(); {
			c.findLine(parser, inner.Node(), name)
		}
	}
	return name
}

// nearest suggests what may have been meant.
func nearest(name string, names []string) string {
	slices.Sort(names)
	best, least := "", max(2, len(name)/3)+1
	for _, n := range names {
		if d := distance(name, n); d < least {
			best, least = n, d
		}
	}
	if best == "" {
		return "there are " + strings.Join(names, ", ")
	}
	return "did you mean " + best + "?"
}

// distance is how many letters are to be changed, taken away or added (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
