// <market-part data-market data-tab>: a tab that the server draws: holders, comments, timeline. It is
// fetched when it is first shown and, while it is, when the tape tells of something that it shows.
//
// What people wrote comes to the page in one way only, live or not: rendered and sanitised by the
// server's one template. Here a document that is not shown parses it, in which no script runs.
import { $, $$, h, text } from "../dom.js";
import { Watching } from "../live.js";
import { ages } from "./ages.js";
import { isTalk } from "./market_tape.js";

const REST = { holders: 3000, comments: 400, timeline: 400 };
const BEHIND = 150; // until the database shows what the tape has told already
const AGAIN = 3000;
const SPREAD = 300; // not all readers of a market at once

const shows = { holders: (e) => !isTalk(e), comments: isTalk, timeline: (e) => !e.trade && !isTalk(e) };

class MarketPart extends Watching {
  connectedCallback() {
    const { market, tab } = this.dataset;
    this.panel = this.closest("[role=tabpanel]");
    this.fresh = h("button", { class: "tape-fresh", type: "button", hidden: true, onclick: () => this.release() });
    this.prepend(this.fresh);
    this.have = Number($(".part", this)?.dataset.version ?? -1);
    this.wanted = 0;
    ages(this);
    const onscroll = () => this.held && !this.isScrolled() && this.release();
    const onseen = () => {
      this.have = -1; // what happened meanwhile may have left the tape that the page keeps
      this.later();
    };
    this.panel.addEventListener("shown", onseen);
    addEventListener("scroll", onscroll, { passive: true });
    document.addEventListener("visibilitychange", onseen);
    this.ends.push(
      () => removeEventListener("scroll", onscroll),
      () => document.removeEventListener("visibilitychange", onseen),
      () => clearTimeout(this.timer),
    );
    this.every(20_000, () => ages(this));
    this.watch(
      (s) => latest(s.markets.get(market), shows[tab]),
      (seq) => {
        this.wanted = seq;
        this.later();
      },
    );
    this.watch(
      (s) => s.account?.handle ?? "",
      (handle) => {
        if (this.have >= 0 && $(".part", this).dataset.handle !== handle) this.have = -1;
        this.later();
      },
    );
  }

  later(pause = REST[this.dataset.tab]) {
    if (this.panel.hidden || document.hidden || this.timer || this.have >= this.wanted) return;
    const due = (this.asked ?? 0) + pause - performance.now();
    this.timer = setTimeout(() => this.load(), this.have < 0 ? due : Math.max(due, Math.random() * SPREAD));
  }

  async load() {
    this.asked = performance.now();
    let pause = BEHIND;
    try {
      const query = new URLSearchParams(location.search);
      query.set("part", "");
      const answer = await fetch(`/m/${encodeURIComponent(this.dataset.market)}/${this.dataset.tab}?${query}`, {
        signal: AbortSignal.timeout(10_000),
      });
      if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
      const part = $(".part", new DOMParser().parseFromString(await answer.text(), "text/html"));
      ages(part);
      this.take(part);
    } catch {
      pause = AGAIN;
      if (!$(".part", this)) text(this.note, "No answer from the server. Trying again …");
    }
    this.timer = null;
    this.later(pause);
  }

  get note() {
    return $(".part-empty", this) ?? this.appendChild(h("p", { class: "part-empty" }));
  }

  // take shows a part; comments of others, that would move what is being read, when they are asked for.
  take(part) {
    this.have = Number(part.dataset.version);
    const known = new Set($$(".comment", this).map((c) => c.id));
    const others = $$(".comment", part).filter((c) => !known.has(c.id) && c.dataset.account !== part.dataset.handle);
    this.held = part;
    if (!known.size || !others.length || !this.isScrolled()) return this.release();
    this.fresh.hidden = false;
    text(this.fresh, others.length === 1 ? "1 new comment" : `${others.length} new comments`);
  }

  isScrolled() {
    return ($(".comments", this) ?? this).getBoundingClientRect().top < 0;
  }

  release() {
    const part = this.held;
    if (!part) return;
    const moves = !this.fresh.hidden && this.isScrolled();
    this.held = null;
    this.fresh.hidden = true;
    const old = $(".part", this);
    const lists = [$(".comments", old ?? this), $(".comments", part)];
    if (old && lists[0] && lists[1] && old.dataset.handle === part.dataset.handle) {
      update(...lists); // not the form, in which somebody may be writing
      old.dataset.version = part.dataset.version;
    } else this.replaceChildren(this.fresh, document.adoptNode(part));
    if (moves) this.scrollIntoView({ block: "start" });
  }
}

// update makes a list of rows with ids like another, and lets those be that are in both.
function update(list, wanted) {
  const ids = new Set([...wanted.children].map((row) => row.id));
  for (const row of [...list.children]) if (!ids.has(row.id)) row.remove();
  let next = list.firstElementChild;
  for (const row of [...wanted.children]) {
    if (next?.id === row.id) next = next.nextElementSibling;
    else list.insertBefore(document.adoptNode(row), next);
  }
}

// latest is the seq up to which a tab must know what happened.
function latest(entry, concerns) {
  if (!entry) return undefined;
  return entry.broken ? entry.state.version : (entry.tape.findLast(concerns)?.seq ?? 0);
}

customElements.define("market-part", MarketPart);
