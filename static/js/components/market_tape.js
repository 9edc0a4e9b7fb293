// <market-tape data-market>: what happened, newest first. Rows that arrive while the reader is
// further down wait behind a button, so that nothing moves under a finger.
import * as api from "../api.js";
import { h, set, text } from "../dom.js";
import { store, Watching } from "../live.js";
import { cents, credits, exactCredits, exactPercent, exactShares, integer, percent, shares } from "../money.js";
import { colourClass, label, own } from "../outcomes.js";
import { clock, full } from "../time.js";

const ROWS = 50;
const MORE = 200;

class MarketTape extends Watching {
  connectedCallback() {
    this.limit = ROWS;
    this.held = 0;
    this.list = h("ol", { class: "tape" });
    this.fresh = h("button", { class: "tape-fresh", type: "button", hidden: true, onclick: () => this.release() });
    this.more = h(
      "button",
      { class: "quiet-button tape-more", type: "button", hidden: true, onclick: () => this.older() },
      "Older",
    );
    this.replaceChildren(this.fresh, this.list, this.more);
    const onscroll = () => this.held > 0 && !this.isScrolled() && this.release();
    addEventListener("scroll", onscroll, { passive: true });
    this.ends.push(() => removeEventListener("scroll", onscroll));
    this.watchMarket((entry) => this.render(entry));
  }

  isScrolled() {
    return this.getBoundingClientRect().top < 0;
  }

  render(entry) {
    this.entry = entry;
    if (entry.broken) this.repair();
    const newest = Number(this.list.firstElementChild?.dataset.seq ?? 0);
    const fresh = entry.tape.filter((e) => e.seq > newest && !isTalk(e)).length;
    const follows = newest > 0 && entry.tape.some((e) => e.seq === newest);
    if (fresh > 0 && follows && this.isScrolled()) return this.hold(fresh);
    this.release();
  }

  hold(count) {
    this.held = count;
    this.fresh.hidden = false;
    text(this.fresh, `${integer(count)} new ${count === 1 ? "event" : "events"}`);
  }

  release() {
    if (this.held > 0 && this.isScrolled()) this.scrollIntoView({ block: "start" });
    this.held = 0;
    this.fresh.hidden = true;
    const { tape } = this.entry;
    const events = tape
      .filter((e) => !isTalk(e))
      .slice(-this.limit)
      .reverse();
    const kept = new Map([...this.list.children].map((row) => [row.dataset.cursor, row]));
    const handle = store.state.account?.handle;
    this.list.replaceChildren(...events.map((e) => kept.get(e.cursor) ?? row(this.entry.state, e, handle)));
    if (events.length === 0)
      this.list.append(h("li", { class: "tape-empty" }, "Nothing happened here yet. The first trade sets the tone."));
    this.more.hidden = this.limit >= MORE || tape.length < this.limit;
  }

  // repair fetches the end of the tape after a snapshot jumped over part of it.
  async repair() {
    if (this.repairing) return;
    this.repairing = true;
    await this.fetchLatest(ROWS);
    this.repairing = false;
  }

  async older() {
    this.limit = MORE;
    set(this.more, { disabled: true });
    await this.fetchLatest(MORE);
    set(this.more, { disabled: false });
    this.release();
  }

  async fetchLatest(count) {
    try {
      const { events } = await api.getLatest(this.dataset.market, count);
      store.dispatch({ op: "tape", market: this.dataset.market, events });
    } catch {
      text(this.more, "Older: no answer, try again");
    }
  }
}

// isTalk tells comments, which have a tab of their own.
export const isTalk = (event) => event.kind === "commented" || event.kind === "comment_removed";

function row(market, event, handle) {
  const own = handle !== undefined && event.trade?.account === handle;
  return h(
    "li",
    {
      class: `tape-row${own ? " own" : ""}`,
      "data-testid": "tape-row",
      "data-seq": event.seq,
      "data-cursor": event.cursor,
      "data-kind": event.kind,
    },
    h("time", { class: "tape-time num", datetime: event.at, title: full(event.at) }, clock(event.at)),
    ...(event.trade ? trade(market, event) : [h("span", { class: "tape-what tape-note", dir: "auto" }, note(event))]),
    h("span", { class: "tape-seq num" }, `v${event.seq}`),
  );
}

function trade(market, { trade: t, prices }) {
  const after = own(prices, t.outcome);
  return [
    h(
      "span",
      { class: "tape-what" },
      h("b", {}, t.account),
      t.side === "buy" ? " bought " : " sold ",
      h("span", { class: "num", title: `${exactShares(t.shares)} shares` }, shares(t.shares)),
      " ",
      h("span", { class: `tape-outcome ${colourClass(market, t.outcome)}`, dir: "auto" }, label(t.outcome)),
    ),
    h("span", { class: "tape-price num", title: exactPercent(t.avg_price) }, cents(t.avg_price)),
    h("span", { class: "tape-amount num", title: exactCredits(t.amount) }, credits(t.amount)),
    h("span", { class: "tape-after num", title: "Its price afterwards" }, after && `→ ${percent(after)}`),
  ];
}

const happened = {
  created: "Made",
  halted: "Trading halted",
  opened: "Open for trading",
  closed: "Closed",
  proposed: "Resolution proposed",
  disputed: "Resolution disputed",
  resolved: "Resolved",
  void: "Void",
  corrected: "Resolution corrected",
};

// note words an event that is no trade: who did it and why.
export function note(event) {
  const { actor, reason, payout } = event[event.kind] ?? {};
  const pays =
    payout &&
    Object.entries(payout)
      .filter(([, p]) => Number(p) > 0)
      .map(([o]) => label(o))
      .join(", ");
  return [
    happened[event.kind] ?? event.kind,
    pays && `: ${pays}`,
    actor && `${pays ? "," : ""} by ${actor}`,
    reason && ` — ${reason}`,
  ]
    .filter(Boolean)
    .join("");
}

customElements.define("market-tape", MarketTape);
