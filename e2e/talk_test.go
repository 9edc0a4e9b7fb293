package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp/kb"

	"github.com/pgtape/pgtape/db"
)

func commentsSay(part string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("[data-testid=comment]")].some((c) => c.innerText.includes(%s))`, js(part))
}

func TestACommentMadeInPsqlAppearsOnEveryPage(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, cy := s.Market(t), s.Account(t, "10")
	ana, bo := s.page(t), s.page(t)
	ana.openMarket(market)
	ana.signIn("ana")
	ana.clickWords("market-tabs", "Comments")
	ana.says("#panel-comments", "Nobody has said anything yet")
	bo.goTo("/m/" + market + "/comments")
	bo.untilLive()
	bo.says("#panel-comments", "Sign in to say something")

	// From psql, live in both; and from a page, in the other.
	s.psql(t, s.URL(), fmt.Sprintf("select pgtape.comment('%s', 'It **will**, @ana', '%s')", market, cy))
	ana.fill("#comment", "half a thought")
	for _, p := range []*page{ana, bo} {
		p.until("the comment is there", commentsSay("It will, @ana"))
		p.until("in Markdown", `document.querySelector(".comment strong").innerText === "will"`)
		p.until("with a link to whom it names", `document.querySelector(".comment .markdown a").getAttribute("href") === "/u/ana"`)
	}
	if typed := get[string](ana, `document.querySelector("#comment").value`); typed != "half a thought" {
		t.Errorf("what is being typed has become %q", typed)
	}
	ana.fill("#comment", "It will not")
	ana.clickWords(".comment-form", "Post")
	for _, p := range []*page{ana, bo} {
		p.until("the newest is first", `document.querySelector("[data-testid=comment]").innerText.includes("It will not")`)
	}
	ana.until("the form is empty", `document.querySelector("#comment").value === ""`)
	if rows := get[int](ana, `[...document.querySelectorAll("[data-testid=tape-row]")].length`); rows != 1 {
		t.Errorf("%d rows of the tape, want that of its creation: comments have a tab of their own", rows)
	}

	// One's own can be taken back, and not that of others.
	if n := get[int](ana, `document.querySelectorAll("form.comment-remove").length`); n != 1 {
		t.Errorf("%d comments can be removed, want 1", n)
	}
	ana.clickWords("form.comment-remove", "Remove")
	ana.clickWords("dialog", "Remove")
	for _, p := range []*page{ana, bo} {
		p.until("it is gone", "!"+commentsSay("It will not"))
	}
	s.Verify(t)
}

func TestAnOperatorRemovesACommentForAReason(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, bo := s.Market(t), s.Account(t, "10")
	p := s.page(t)
	p.openMarket(market)
	p.signIn("op")
	_, err := s.SetRole(t.Context(), "op", db.Operator, "")
	must(t, err)
	s.say(t, bo, market, "buy my watches")
	p.goTo("/m/" + market + "/comments")
	p.untilLive()
	p.click("details.comment-remove summary")
	p.until("it is open", `document.querySelector("details.comment-remove").open`)
	p.click("details.comment-remove input")
	p.press("spam\r")
	p.says("#panel-comments", "Nobody has said anything yet")
	log, err := s.Audit(t.Context(), 0, 1)
	if err != nil || log[0].Act != "comment_removed" || log[0].Actor != "op" || !strings.Contains(string(log[0].Detail), "spam") {
		t.Errorf("the audit log has %+v, %v", log, err)
	}
}

func (s *site) say(t *testing.T, account, market, words string) db.Comment {
	t.Helper()
	c, err := s.Comment(t.Context(), db.NewComment{Market: market, Body: words, Account: account})
	must(t, err)
	return c
}

func TestNewCommentsWaitForWhoReadsFurtherDown(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, bo := s.Market(t), s.Account(t, "10")
	s.Exec(t, "select pgtape.set_setting('comments_per_minute', '1000')")
	for i := range 60 {
		s.say(t, bo, market, fmt.Sprintf("comment %d", i))
	}
	p := s.page(t)
	p.goTo("/m/" + market + "/comments")
	p.untilLive()
	p.do(`scrollTo({ top: 2000, behavior: "instant" })`)
	p.until("it has scrolled", "scrollY > 1000")
	s.say(t, bo, market, "one more")
	s.say(t, bo, market, "and one")
	p.says("#panel-comments .tape-fresh", "2 new comments")
	if get[bool](p, commentsSay("one more")) {
		t.Error("the list has moved under the reader")
	}
	p.click("#panel-comments .tape-fresh")
	p.until("they are there", commentsSay("and one"))
	p.clickWords("#panel-comments", "Older comments")
	p.until("the older ones are there", commentsSay("comment 0"))
	p.untilLive()
}

func TestAMentionIsReadOnce(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, bo := s.Market(t), s.Account(t, "10")
	p := s.page(t)
	p.openMarket(market)
	p.signIn("ana")
	p.until("the bell is there", `!document.querySelector("notification-bell").hidden`)
	s.say(t, bo, market, "what says @ana?")
	s.say(t, bo, market, "@ana?")
	p.says(".bell-count", "2")
	p.click(".bell")
	p.until("both are listed", `document.querySelectorAll(".notice-item.unread").length === 2`)
	p.untilLive()
	p.says(hook("notification", "kind", "mention"), bo+" mentioned you")
	p.clickWords(".notice-item.unread", "Mark as read")
	p.until("one is left", `document.querySelectorAll(".notice-item.unread").length === 1`)
	p.untilLive()
	p.reload()
	p.says(".bell-count", "1")
	p.until("one is left", `document.querySelectorAll(".notice-item.unread").length === 1`)
	p.untilLive()

	// Who follows the other has read it too.
	p.clickWords(".notice-item.unread", "Will it?")
	p.until("the comment is there", commentsSay("what says @ana?"))
	p.untilLive()
	p.poll("it is read", func() bool {
		unread, err := s.UnreadNotifications(t.Context(), "ana")
		return err == nil && unread == 0
	})
	p.reload()
	p.untilLive()
	p.until("there is no count", `document.querySelector(".bell-count").hidden`)
}

func TestWhoHoldsSharesIsToldOfTheEnd(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market := s.Market(t)
	p := s.page(t)
	p.openMarket(market)
	p.signIn("ana")
	s.buy(t, "ana", market, "yes", "10")
	p.clickWords("market-tabs", "Holders")
	p.says(hook("holder"), "ana")
	s.buy(t, s.Account(t, "1000"), market, "yes", "20")
	p.until("the larger one is first", `document.querySelectorAll("[data-testid=holder]").length === 2 && document.querySelector("[data-testid=holder]").innerText.includes("20.00")`)
	p.clickWords("market-tabs", "Timeline")
	p.says("#panel-timeline", "Made by house")
	p.faults.allow("answer 409: .*/quote", "status of 409 .*/quote")
	_, err := s.ResolveMarket(t.Context(), market, []db.Decimal{"1", "0"}, "it rained")
	must(t, err)
	p.says("#panel-timeline", "Resolved by login:postgres")
	p.says("#panel-timeline", "Yes pays ¤ 1.00")
	p.says("#panel-timeline", "it rained")
	p.says(".bell-count", "1")
	p.click(".bell")
	p.says(hook("notification"), "You were paid ¤ 10.00")
	p.untilLive()
}

func TestWhatIsWrittenRunsNowhere(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	words := picture + breakOut + closing + template
	_, err := s.CreateMarket(t.Context(), db.NewMarket{Slug: "hostile", Question: "Is it?", Description: words + "\n\n[x](javascript:alert(5)) ![y](data:image/png,z) <https://a.example/\"onclick=alert(6)>"})
	must(t, err)
	_, err = s.CreateAccount(t.Context(), "bo", "10")
	must(t, err)
	p := s.page(t)
	p.openMarket("hostile")
	p.signIn("ana")
	p.clickWords("market-tabs", "Comments")
	p.says("#panel-comments", "Nobody has said anything")
	for _, text := range []string{words, "[x](javascript:alert(1))", "[x](https://a.example/\"onmouseover=alert(1))", "![x](x\" onerror=alert(1))", "@ana " + picture, "<svg/onload=alert(1)>"} {
		s.say(t, "bo", "hostile", text)
	}
	p.until("all are there", `document.querySelectorAll("[data-testid=comment]").length === 6`)
	clean := func() {
		t.Helper()
		p.hasNoForeignElement()
		if found := get[[]string](p, `[...document.querySelectorAll("main *, .notices *")].flatMap((e) => [...e.attributes].filter((a) => /^on|^style$/i.test(a.name) || /^\s*(javascript|data|vbscript):/i.test(a.value)).map((a) => e.outerHTML))`); len(found) > 0 {
			t.Errorf("the page has %q", found)
		}
	}
	clean()
	for _, path := range []string{"/m/hostile/comments", "/m/hostile/rules", "/notifications"} {
		p.goTo(path)
		p.untilLive()
		p.says("main", picture)
		clean()
	}
}

func TestTabsByKeyboard(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market := s.Market(t)
	p := s.page(t)
	p.openMarket(market)
	p.do(`document.querySelector("#tab-tape").focus()`)
	for _, step := range []struct{ key, tab string }{
		{kb.ArrowRight, "holders"},
		{kb.ArrowRight, "comments"},
		{kb.ArrowRight, "rules"},
		{kb.ArrowRight, "timeline"},
		{kb.ArrowRight, "tape"},
		{kb.ArrowLeft, "timeline"},
		{kb.Home, "tape"},
		{kb.End, "timeline"},
	} {
		p.press(step.key)
		p.until(step.tab+" is shown", fmt.Sprintf(`document.activeElement.id === "tab-%[1]s" && !document.querySelector("#panel-%[1]s").hidden && document.querySelectorAll("[role=tabpanel]:not([hidden])").length === 1`, step.tab))
	}
	p.reload()
	p.untilLive()
	p.says("#panel-timeline", "Made by house")
	if path := get[string](p, "location.pathname"); path != "/m/"+market+"/timeline" {
		t.Errorf("the address is %s", path)
	}
}

func TestTabsWithoutJavaScriptAndOnAPhone(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	long := strings.Repeat("W", 300)
	_, err := s.CreateMarket(t.Context(), db.NewMarket{Slug: "rain", Question: "Will it?", Description: "By *the* station.\n\n`" + long + "`"})
	must(t, err)
	wide, err := s.CreateAccount(t.Context(), strings.Repeat("w", 32), "10000")
	must(t, err)
	s.buy(t, wide.Handle, "rain", "yes", "1234.123456")
	s.say(t, wide.Handle, "rain", "**so** "+long+"\n```\n"+long+"\n```\n@"+wide.Handle)
	s.say(t, s.Account(t, "1"), "rain", "@"+wide.Handle+" "+long)

	p := s.page(t)
	p.set(emulation.SetScriptExecutionDisabledParams{Value: true})
	p.faults.allow(`^request failed: Script +csp`)
	for tab, says := range map[string]string{"holders": "1234.12", "comments": "so " + long, "rules": "By the station.", "timeline": "Made by house"} {
		p.goTo("/m/rain/" + tab)
		p.reads(says, "need JavaScript")
	}

	phone := s.phone(t)
	phone.openMarket("rain")
	phone.signIn(wide.Handle)
	for _, tab := range []string{"holders", "comments", "rules", "timeline"} {
		phone.goTo("/m/rain/" + tab)
		phone.untilLive()
		phone.fitsWidth("the tab " + tab)
	}
	phone.goTo("/notifications")
	phone.untilLive()
	phone.says("main", "mentioned you")
	phone.fitsWidth("the notifications")
}

func TestTalkIsReadableInBothThemes(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{})
	market, bo := s.Market(t), s.Account(t, "1000")
	p := s.page(t)
	p.openMarket(market)
	p.signIn("ana")
	s.buy(t, bo, market, "yes", "5")
	s.say(t, bo, market, "> @ana\n\n`so` https://a.example/")
	s.say(t, "ana", market, "so")
	for path, selectors := range map[string][]string{
		"/m/" + market + "/holders":  {".holders caption", ".holders th", ".holders td", ".holders + .hint"},
		"/m/" + market + "/comments": {".comment-who", ".comment-when", ".markdown a", ".markdown blockquote", ".comment .quiet-button", ".comment-form .hint", ".bell-count"},
		"/m/" + market + "/timeline": {".timeline-item b", ".timeline-item time"},
		"/notifications":             {".unread p", ".unread .link", ".unread time", ".unread .quiet-button", ".notice-words"},
	} {
		p.goTo(path)
		p.untilLive()
		p.until("the bell has counted", `!document.querySelector(".bell-count").hidden`)
		for _, scheme := range []string{"light", "dark"} {
			p.prefer(scheme)
			p.until("the page is "+scheme, "getComputedStyle(document.documentElement).colorScheme === "+js(scheme))
			p.contrasts(scheme, selectors)
		}
	}
}
