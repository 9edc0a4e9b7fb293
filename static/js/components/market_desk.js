// <market-desk data-market>: what its reader may do to a market besides trade. The database says
// what that is; each act names its consequence before it is done.
import * as api from "../api.js";
import { $, h, text } from "../dom.js";
import { amount, confirmed, say } from "../forms.js";
import { store, Watching } from "../live.js";
import { counted, credits } from "../money.js";
import { label } from "../outcomes.js";

// What each move is called, what it means, and whether it says what shares pay.
const MOVES = {
  open: { name: "Open trading", means: "Everybody can trade." },
  halt: { name: "Halt trading", means: "Nobody can trade until it is opened again." },
  close: { name: "Close trading", means: "Trading ends for good; the market waits to be resolved." },
  propose: {
    name: "Propose a resolution",
    means: "Those who hold shares may dispute it before it is paid.",
    pays: true,
  },
  dispute: { name: "Dispute the proposal", means: "The proposal is put in question, in public." },
  resolve: { name: "Resolve", pays: true },
  void: { name: "Void", pays: false },
  correct: {
    name: "Correct the resolution",
    means: "What was paid wrongly is taken back as far as it is there; the house gives the rest.",
    pays: true,
  },
};
const AGAIN = 3_000;
const BEHIND = 200; // the tape may be ahead of what a read finds
const SHARED = "shared";

class MarketDesk extends Watching {
  connectedCallback() {
    this.slug = this.dataset.market;
    this.watch(
      (s) => `${s.account?.handle} ${s.markets.get(this.slug)?.state.status} ${Boolean(s.positions.get(this.slug))}`,
      () => this.load(),
    );
  }

  async load() {
    clearTimeout(this.again);
    const asked = (this.asked = Symbol("moves"));
    if (!store.state.account) return this.replaceChildren();
    try {
      const { moves, version } = await api.getMoves(this.slug);
      if (asked !== this.asked) return; // an answer that was overtaken says nothing
      if (version < store.state.markets.get(this.slug)?.state.version) return this.later(asked, BEHIND);
      this.build(moves);
    } catch {
      this.later(asked, AGAIN);
    }
  }

  later(asked, pause) {
    if (asked === this.asked && this.isConnected) this.again = setTimeout(() => this.load(), pause);
  }

  build(moves) {
    if (moves.length === 0) return this.replaceChildren();
    if (this.firstChild && String(moves) === String(this.moves)) return; // as it stands
    this.moves = moves;
    const open = $("details", this)?.open ?? false;
    const typed = $("#desk-reason", this)?.value ?? "";
    const choice = h(
      "select",
      { class: "select", id: "desk-move", name: "move" },
      moves.map((m) => h("option", { value: m }, MOVES[m].name)),
    );
    this.payout = h("div", { class: "field" });
    const reason = h("textarea", { id: "desk-reason", name: "reason", required: true, maxlength: 2000, rows: 2 });
    this.act = h("button", { class: "button button-strong" });
    const form = h(
      "form",
      { class: "form", onsubmit: (event) => this.submit(event) },
      h("div", { class: "field" }, h("label", { for: "desk-move" }, "What to do"), choice),
      this.payout,
      h("div", { class: "field" }, h("label", { for: "desk-reason" }, "Reason, shown to everybody"), reason),
      h("div", { class: "form-acts" }, this.act),
    );
    choice.addEventListener("change", () => this.choose(choice.value));
    this.replaceChildren(
      h("details", { class: "corner", open }, h("summary", {}, h("span", {}, "Run this market")), form),
    );
    reason.value = typed;
    this.choose(moves[0]);
  }

  choose(move) {
    text(this.act, MOVES[move].name);
    this.payout.hidden = !MOVES[move].pays;
    if (!MOVES[move].pays) return this.payout.replaceChildren();
    const { outcomes } = store.state.markets.get(this.slug).state;
    const what = h(
      "select",
      { class: "select", id: "desk-payout" },
      outcomes.map((o, i) => h("option", { value: i }, label(o))),
      h("option", { value: SHARED }, "Shared, or a value on a scale"),
    );
    const parts = h(
      "div",
      { hidden: true },
      outcomes.map((o, i) =>
        h(
          "label",
          { class: "check" },
          h("input", {
            type: "text",
            inputmode: "decimal",
            value: "0",
            "data-part": i,
            "aria-label": `A share of ${label(o)} pays`,
          }),
          label(o),
        ),
      ),
    );
    what.addEventListener("change", () => (parts.hidden = what.value !== SHARED));
    this.payout.replaceChildren(h("label", { for: "desk-payout" }, "A share pays ¤ 1 of"), what, parts);
  }

  // payoutOf reads what a share of each outcome pays; undefined for moves that pay nothing.
  payoutOf(move) {
    if (!MOVES[move].pays) return undefined;
    const chosen = $("#desk-payout", this).value;
    const { outcomes } = store.state.markets.get(this.slug).state;
    if (chosen !== SHARED) return outcomes.map((_, i) => (String(i) === chosen ? "1" : "0"));
    return outcomes.map((_, i) => amount($(`[data-part="${i}"]`, this).value.trim() || "0", { zero: true }));
  }

  async submit(event) {
    event.preventDefault();
    const form = event.target;
    const move = form.elements.move.value;
    say(form, "");
    this.act.disabled = true;
    try {
      const payout = this.payoutOf(move);
      const words = [MOVES[move].means, await this.consequence(move, payout)].filter(Boolean).join(" ");
      if (await confirmed(words, MOVES[move].name)) {
        await api.moveMarket(this.slug, { move, payout, reason: form.elements.reason.value });
        const reason = $("#desk-reason", this); // perhaps of the next form: the tape may have been faster
        if (reason) reason.value = "";
      }
    } catch (problem) {
      say(form, [problem.message, problem.hint].filter(Boolean).join(" "));
    }
    this.act.disabled = false;
  }

  async consequence(move, payout) {
    if (move !== "void" && !payout) return "";
    const { people, paid, returned, funder } = await api.getSettlement(this.slug, payout);
    return `Pays ${credits(paid)} to ${counted(people, "person", "people")}; ${credits(returned)} go back to ${funder}.`;
  }
}

customElements.define("market-desk", MarketDesk);
