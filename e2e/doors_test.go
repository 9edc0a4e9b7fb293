package e2e_test

import (
	"testing"

	"github.com/pgtape/pgtape/server"
)

// TestSigningInTooOftenSaysWhenToComeBack: a limit is told in words, and the page goes on.
func TestSigningInTooOftenSaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	s := open(t, siteOptions{limits: server.Limits{SignIns: 1}})
	s.Market(t)
	first, second := s.page(t), s.page(t)
	first.goTo("/")
	first.signIn("ana")
	second.faults.allow("429")
	second.goTo("/")
	second.untilLive()
	second.fill(hook("sign-in-handle"), "ana")
	second.click(hook("sign-in-button"))
	second.says(".sign-in-error", "too many sign-ins from here")
	second.says(".sign-in-error", "ask again in")
	second.untilLive()
}
