package sql

import (
	"fmt"
	"regexp"
	"strings"
)

// Grant is a right that a role of ours has on an object of ours.
type Grant struct {
	Kind      string // function, relation or schema
	Privilege string // execute, select or usage
	Object    string // with its schema; a function with the types of its arguments, as Postgres spells them
	Role      string
}

var (
	grantStatement = regexp.MustCompile(`(?s)^grant (execute|select) on (function\s+)?(.*?)\s+to ([a-z_, \n]+)$`)
	comment        = regexp.MustCompile(`(?m)--.*$`)
	spaces         = regexp.MustCompile(`\s+`)
)

// spelled is how Postgres spells the types that the grants abbreviate.
var spelled = strings.NewReplacer("timestamptz", "timestamp with time zone")

// Grants returns the rights that the file of grants gives, and the use of the schema that migration 1
// gives: what a database must have of them can be looked at without being applied again.
func Grants() ([]Grant, error) {
	text, err := files.ReadFile("functions/" + GrantsFile)
	if err != nil {
		return nil, fmt.Errorf("reading the grants: %w", err)
	}
	var all []Grant
	for _, role := range Roles {
		all = append(all, Grant{"schema", "usage", "pgtape", role})
	}
	for _, statement := range strings.Split(comment.ReplaceAllString(string(text), ""), ";") {
		statement = strings.TrimSpace(statement)
		if !strings.HasPrefix(statement, "grant ") {
			continue
		}
		m := grantStatement.FindStringSubmatch(statement)
		if m == nil {
			return nil, fmt.Errorf("a grant that Grants cannot read: %s", statement)
		}
		kind := "relation"
		if m[2] != "" {
			kind = "function"
		}
		for _, object := range objectsOf(m[3]) {
			for _, role := range strings.Split(m[4], ",") {
				all = append(all, Grant{kind, m[1], object, strings.TrimSpace(role)})
			}
		}
	}
	return all, nil
}

// objectsOf splits a list at the commas that are not within a function's arguments.
func objectsOf(list string) (objects []string) {
	depth, from := 0, 0
	for i, c := range list + "," {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			objects = append(objects, spelled.Replace(spaces.ReplaceAllString(strings.TrimSpace(list[from:i]), " ")))
			from = i + 1
		}
	}
	return objects
}
