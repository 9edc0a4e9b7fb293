package static

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"
)

// choice is one of a list of filters.
type choice struct{ Value, Name string }

// The filters of the list of markets; js/components/market_list.js has the same.
var (
	statuses = []choice{{"", "All"}, {"open", "Open"}, {"closed", "Closed"}, {"resolved", "Resolved"}}
	sorts    = []choice{{"", "Latest trade"}, {"hot", "Hot"}, {"new", "Newest"}, {"closing", "Closing soon"}, {"volume", "Most traded"}}
)

// filtered is the address of the list with one more filter, or with another value of it.
func filtered(query map[string]any, name, value string) template.URL {
	values := url.Values{}
	for n, v := range query {
		values.Set(n, fmt.Sprint(v))
	}
	values.Del("cursor")
	values.Set(name, value)
	if value == "" {
		values.Del(name)
	}
	return template.URL("/?" + values.Encode())
}

// text is what there may be of a member, or nothing.
func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// title is a word with a capital.
func title(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}
