package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/pgtape/pgtape/db"
	"github.com/pgtape/pgtape/db/dbtest"
)

// Names that look alike, or like nothing, are not taken beside each other.
func TestOutcomesThatLookAlikeAreRefused(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	for _, pair := range [][2]string{
		{"No", "no\u00a0"},
		{"No", "NO"},
		{"No", " no "},
		{"caf\u00e9", "cafe\u0301"},
		{"No", "\uff2e\uff4f"},
		{"No", "N\u043e"},
		{"Yes", "\u0423es"},
		{"a b", "a\u2003b"},
		{"a b", "a  b"},
		{"STRASSE", "straße"},
		{"İvan", "ivan"},
		{"IVAN", "ıvan"},
		{"3", "٣"},
		{"it's", "it’s"},
		{"a-b", "a–b"},
		{"👩\u200d🚀", "👩🚀"},
		{"❤\ufe0f", "❤"},
		{"می\u200cخواهم", "میخواهم"},
		{"Ångström", "\u212bngström"},
		{"\u2126", "\u03c9"},
		{"𝐍𝐨", "no"},
		{"m\u0103", "m\u04d1"},
		{"C\u00f3rdoba", "C\u03ccrdoba"},
		{"\u00c8", "\u0400"},
		{"i\u0307", "I"},
		{"i\u0323\u0307", "\u0130\u0323"},
	} {
		_, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: "x", Question: "Which?", Outcomes: []string{"other", pair[0], pair[1]}})
		if db.CodeOf(err) != db.InvalidRequest || !strings.Contains(err.Error(), "for each other") {
			t.Errorf("%+q beside %+q: %v, want them refused", pair[0], pair[1], err)
		}
	}
	for i, names := range [][]string{
		{"Müller", "Muller"},
		{"a", "á", "å"},
		{"x", "x2", "x 2"},
		{"👩\u200d🚀", "👨\u200d🚀"},
		{"🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"},
		{"می\u200cخواهم", "نه"},
		{"क्\u200dष", "क्ष ज्ञ"},
		{"日本", "日木"},
		{"Да", "Нет"},
		{"constructor", "__proto__", "toString", "hasOwnProperty"},
		{"=1+1", "@SUM(A1)", "-1", "+1"},
		{"select", "null", "true"},
		{"<b>", "</script>", "&amp;", `"`, "'"},
		{"c++", "c#", "c"},
		{"1️⃣", "2️⃣"},
		{"葛\U000e0100", "其"},
	} {
		slug := fmt.Sprintf("fine-%d", i)
		m, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: slug, Question: "Which?", Outcomes: names})
		if err != nil || !slices.Equal(m.Outcomes, names) {
			t.Errorf("%+q: %+q, %v, want them taken", names, m.Outcomes, err)
		}
	}
	d.Verify(t)
}

// What is not seen is refused, by its name, wherever a text is given; what is only spaces is none.
func TestTextsAreKeptInOneForm(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "1000"), d.Market(t)
	var made int
	fields := map[string]func(text string) (kept string, err error){
		"question": func(text string) (string, error) {
			made++
			m, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: fmt.Sprintf("q%d", made), Question: text})
			return m.Question, err
		},
		"category": func(text string) (string, error) {
			made++
			m, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: fmt.Sprintf("c%d", made), Question: "Will it?", Category: text})
			return m.Category, err
		},
		"outcome": func(text string) (string, error) {
			made++
			m, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: fmt.Sprintf("o%d", made), Question: "Will it?", Outcomes: []string{"other", text}})
			if err != nil {
				return "", err
			}
			return m.Outcomes[1], nil
		},
		"key": func(text string) (string, error) {
			made++
			_, err := d.Pool().Exec(t.Context(), "select pgtape.create_key($1, $2, 'p', sha256($3), '{read}')", ana, text, fmt.Append(nil, made))
			if err != nil {
				return "", db.Refusal(err)
			}
			keys, err := d.Keys(t.Context(), ana)
			return keys[0].Name, err
		},
		"comment": func(text string) (string, error) {
			c, err := d.Comment(t.Context(), db.NewComment{Market: market, Body: text, Account: ana})
			return c.Body, err
		},
		"reason": func(text string) (kept string, err error) {
			if _, err = d.Pool().Exec(t.Context(), "select pgtape.grant_credits($1, 1, $2)", ana, text); err == nil {
				err = d.Pool().QueryRow(t.Context(), "select detail ->> 'reason' from pgtape.audit order by id desc limit 1").Scan(&kept)
			}
			return kept, db.Refusal(err)
		},
	}
	for field, give := range fields {
		for _, tt := range []struct{ given, names string }{
			{"a\u200bb", "U+200B"},
			{"a\u202eb", "U+202E"},
			{"\u2066a", "U+2066"},
			{"a\x1b[31mb", "U+001B"},
			{"a\x7f", "U+007F"},
			{"a\u009bb", "U+009B"},
			{"a\ue000", "U+E000"},
			{"a\U000f0000", "U+F0000"},
			{"a\u0378", "U+0378"},
			{"a\ufffe", "U+FFFE"},
			{"a\ufffd", "U+FFFD"},
			{"a\ufeffb", "U+FEFF"},
			{"a\u00adb", "U+00AD"},
			{"a\u2060b", "U+2060"},
			{"a\u200db", "U+200D"},
			{"a\ufe0fb", "U+FE0F"},
			{"\u3164", "U+3164"},
			{"\u2800", "U+2800"},
			{"a\u034fb", "U+034F"},
			{"a\U000e0041", "U+E0041"},
			{"a\U00013441b", "U+13441"},
			{"\u0301", ""},
			{"a" + strings.Repeat("\u0344", 5), "8 marks"},
			{"z" + strings.Repeat("\u0335", 9), "8 marks"},
			{strings.Repeat("x", 30000), "characters"},
		} {
			_, err := give(tt.given)
			if db.CodeOf(err) != db.InvalidRequest || !strings.Contains(err.Error(), tt.names) {
				t.Errorf("%s %.20q: %v, want it refused with %s named", field, tt.given, err, tt.names)
			}
		}
		for given, want := range map[string]string{
			"\u00a0 cafe\u0301\u2003": "caf\u00e9", "  x  ": "x", "\r\nline\n": "line", "\u2028sep\u2029": "sep", "מי ינצח?": "מי ינצח?", "👨\u200d👩\u200d👧": "👨\u200d👩\u200d👧",
		} {
			if kept, err := give(given); err != nil || kept != want {
				t.Errorf("%s %q is kept as %q, %v, want %q", field, given, kept, err, want)
			}
		}
		for _, nothing := range []string{"\n", " ", "\u00a0\u2003", "\u2028", "\t"} {
			if kept, err := give(nothing); field == "category" && (err != nil || kept != "") || field != "category" && db.CodeOf(err) != db.InvalidRequest {
				t.Errorf("%s %q: %q, %v", field, nothing, kept, err)
			}
		}
		lines := field == "comment" || field == "reason"
		if kept, err := give("one\r\ntwo\u2028three"); lines && (err != nil || kept != "one\ntwo\nthree") || !lines && db.CodeOf(err) != db.InvalidRequest {
			t.Errorf("%s of several lines: %q, %v", field, kept, err)
		}
	}
	d.Verify(t)
}

// Names are typed with a space too many, or in capitals, and are found all the same, by everybody alike.
func TestNamesAreFoundAsTheyAreTyped(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	d.Exec(t, "select pgtape.create_account(' Bob\u00a0'), pgtape.create_market('rain ', 'Will it?', '{Yes,Café}')")
	for _, statement := range []string{
		"select pgtape.trade('RAIN', 'cafe\u0301 ', 'buy', shares => 1, max_cost => 1, account => 'bob ')",
		"select pgtape.trade(' rain', 'YES', 'buy', shares => 1, max_cost => 1, account => '\u00a0BOB\u200b')",
		"select pgtape.trade_batch('Rain ', '[{\"outcome\":\"yes\",\"side\":\"buy\",\"shares\":\"1\",\"max_cost\":\"1\",\"account\":\"bob\"}]')",
		"select pgtape.quote('Rain', 'CAFÉ', 'buy', 1)", "select pgtape.comment('Rain ', 'hello', 'bob ')", "select pgtape.set_role('bob ', 'operator')",
		"select pgtape.halt_market('RAIN', 'why', 'bob\t')", "select pgtape.history(' rain ')", "select pgtape.create_session('bob ', sha256('x'))",
		"select pgtape.moves('Rain', 'Bob ')", "select pgtape.account_profile('bob ')",
	} {
		if _, err := d.Pool().Exec(t.Context(), statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if n := len(mustAll(t, d, "select 1 from pgtape.trades where outcome in ('Yes', 'Café') and account = 'Bob' and market = 'rain'")); n != 3 {
		t.Errorf("%d trades, want 3", n)
	}
	if _, err := d.CreateAccount(t.Context(), "bOB ", ""); db.CodeOf(err) != db.AlreadyExists {
		t.Errorf("a second bob: %v", err)
	}
	d.Verify(t)
}

func mustAll(t *testing.T, d *dbtest.DB, statement string) (rows []int) {
	t.Helper()
	found, err := d.Pool().Query(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		rows = append(rows, 1)
	}
	return rows
}

// A category has one spelling, that of whoever came first, and is found by all.
func TestCategoriesThatLookAlikeAreOne(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	for i, name := range []string{"Café", "café ", "CAFE\u0301", "\uff23af\u00e9"} {
		m, err := d.CreateMarket(t.Context(), db.NewMarket{Slug: fmt.Sprintf("m%d", i), Question: "Will ÄPFEL fall?", Category: name})
		if err != nil || m.Category != "Café" {
			t.Errorf("%q: %q, %v, want the first spelling", name, m.Category, err)
		}
	}
	if names, err := d.Categories(t.Context()); err != nil || !slices.Equal(names, []string{"Café"}) {
		t.Errorf("categories %q, %v", names, err)
	}
	for _, f := range []db.MarketFilter{{Category: "CAFÉ "}, {Query: "äpfel"}, {Query: "A\u0308PFEL  fall"}, {Query: "\uff37ILL"}} {
		if markets, _, err := d.Markets(t.Context(), f); err != nil || len(markets) != 4 {
			t.Errorf("%+v finds %d, %v, want all four", f, len(markets), err)
		}
	}
}

// The normal form of some texts is longer than they are: it is what has to fit.
func TestALengthIsThatOfWhatIsKept(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	ana, market := d.Account(t, "1000"), d.Market(t)
	for _, letter := range []string{"\u0958", "\ufb2c", "\u2adc", "\U0001d15e"} {
		grown := len([]rune(norm.NFC.String(letter)))
		for length, want := range map[int]db.Code{2000: db.InvalidRequest, 2000/grown + 1: db.InvalidRequest, 2000 / grown: ""} {
			c, err := d.Comment(t.Context(), db.NewComment{Market: market, Body: strings.Repeat(letter, length), Account: ana})
			if db.CodeOf(err) != want || len([]rune(c.Body)) > 2000 {
				t.Errorf("%d times %+q: %d characters, %v, want %q", length, letter, len([]rune(c.Body)), err, want)
			}
		}
	}
	d.Verify(t)
}

// Nothing is done to what is too long, before it is refused.
func TestWhatIsTooLongIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	d.Exec(t, "set statement_timeout = '20s'")
	for _, statement := range []string{
		"select pgtape.create_market(repeat('x', 20000000), 'Will it?')", "select pgtape.create_market('x', repeat(U&'\\0301\\0316', 5000000))",
		"select pgtape.create_account(repeat('x', 20000000))", "select pgtape.comment('x', repeat(U&'\\200B', 5000000), 'x')",
		"select pgtape.quote(repeat('x', 20000000), 'yes', 'buy', 1)", "select pgtape.history(repeat('x', 20000000))",
		"select pgtape.create_session(repeat('x', 20000000), sha256('x'))",
	} {
		_, err := d.Pool().Exec(t.Context(), statement)
		if code := db.CodeOf(db.Refusal(err)); code != db.InvalidRequest && code != db.NotFound || len(err.Error()) > 1000 {
			t.Errorf("%s: %.200v", statement, err)
		}
	}
}
