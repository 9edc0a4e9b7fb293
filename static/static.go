// Package static is the web UI: the assets that browsers load, and the pages' first paint.
//
// A page is a function of the JSON that the API gives too: Render writes it as HTML for the first
// paint and embeds it for the scripts in js/, which take it from there and keep it fresh.
package static

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math/big"
	"strings"

	"github.com/pgtape/pgtape/static/markdown"
)

// FS holds what is served under /static/: Assets has it compressed, too.
//
//go:embed css js favicon.svg
var FS embed.FS

//go:embed pages
var pages embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"clock":   clock,
	"day":     day,
	"gain":    gain,
	"held":    held,
	"kind":    kind,
	"moment":  moment,
	"signed":  signed,
	"text":    text,
	"title":   title,
	"counted": counted,
	"when":    when,

	"statuses": func() []choice { return statuses },
	"sorts":    func() []choice { return sorts },
	"filtered": filtered,
	"credits":  orAsItStands(credits),
	"label":    label,
	"percent":  orAsItStands(percent),
	"shares":   orAsItStands(credits),
	"colour":   colour,
	"leader":   leader,
	"names":    names,
	"pays":     pays,
	"received": received,

	"happened":  func(kind string) string { return happened[kind] },
	"isTalk":    isTalk,
	"markdown":  markdown.HTML,
	"mayRemove": mayRemove,

	"asset":   address,
	"modules": func(page string) []string { return modules[page] },
	"own":     func(page string) bool { return modules[page] != nil && len(modules[page]) > len(modules[""]) },
}).ParseFS(pages, "pages/*.html"))

// Render writes the page name ("list", "market", "embed" or "error"; pages/NAME.html states what each needs)
// for a state that marshals to that JSON. Nothing is written when it returns an error.
func Render(w io.Writer, name string, state any) error {
	// json.Marshal escapes <, > and &, so the text is safe inside a script element.
	text, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("marshalling the state of page %s: %w", name, err)
	}
	data := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&data); err != nil {
		return fmt.Errorf("reading the state of page %s: %w", name, err)
	}
	data["page"] = name
	data["json"] = template.JS(text)
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name+".html", data); err != nil {
		return fmt.Errorf("rendering page %s: %w", name, err)
	}
	_, err = page.WriteTo(w)
	return err
}

// orAsItStands makes a way to show a number show what is none as it stands: one figure that cannot be
// read takes no page with it.
func orAsItStands(show func(string) (string, error)) func(string) string {
	return func(number string) string {
		if shown, err := show(number); err == nil {
			return shown
		}
		return number
	}
}

// percent shows a price as a chance, as js/money.js does, with a point for the decimal mark.
func percent(price string) (string, error) {
	p, ok := new(big.Rat).SetString(price)
	if !ok {
		return "", fmt.Errorf("not a price: %q", price)
	}
	p.Mul(p, big.NewRat(100, 1))
	switch {
	case p.Sign() > 0 && p.Cmp(big.NewRat(1, 1)) < 0:
		return "<1\u202f%", nil
	case p.Cmp(big.NewRat(100, 1)) < 0 && p.Cmp(big.NewRat(99, 1)) > 0:
		return ">99\u202f%", nil
	case p.Sign() == 0 || p.Cmp(big.NewRat(100, 1)) == 0:
		return p.FloatString(0) + "\u202f%", nil
	}
	return p.FloatString(1) + "\u202f%", nil
}

// credits shows an amount of credits or shares with two decimals.
func credits(amount string) (string, error) {
	a, ok := new(big.Rat).SetString(amount)
	if !ok {
		return "", fmt.Errorf("not an amount: %q", amount)
	}
	return a.FloatString(2), nil
}

// each stands for complete sets: one share of each outcome.
const each = "*"

func label(outcome string) string {
	switch outcome {
	case "yes":
		return "Yes"
	case "no":
		return "No"
	case each:
		return "of each"
	}
	return outcome
}

// colour is the class of an outcome's colour, as js/outcomes.js chooses it.
func colour(outcomes []any, outcome string) string {
	if outcome == each {
		return "oc-each"
	}
	place := 0
	for i, o := range outcomes {
		if o == outcome {
			place = i
		}
	}
	if len(outcomes) == 2 && outcomes[0] == "no" && outcomes[1] == "yes" {
		place = 1 - place
	}
	return fmt.Sprintf("oc%d", place%8)
}

// leader is the outcome that stands for a market: the first of two, else the likeliest.
func leader(market map[string]any) (string, error) {
	outcomes, _ := market["outcomes"].([]any)
	prices, _ := market["prices"].(map[string]any)
	if len(outcomes) == 0 {
		return "", errors.New("a market without outcomes")
	}
	best, high := "", new(big.Rat).SetInt64(-1)
	for _, o := range outcomes {
		name := fmt.Sprint(o)
		price, ok := new(big.Rat).SetString(strings.TrimSpace(fmt.Sprint(prices[name])))
		if !ok {
			return "", fmt.Errorf("no price of %q", name)
		}
		if len(outcomes) == 2 && (name == "yes" || best == "" && outcomes[1] != "yes") {
			return name, nil
		}
		if price.Cmp(high) > 0 {
			best, high = name, price
		}
	}
	return best, nil
}
