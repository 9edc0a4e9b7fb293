// <ticker-strip>: the latest trades of all followed markets, newest first. It changes at most
// twice a second, and not at all under the pointer or the keyboard's focus.
import { h } from "../dom.js";
import { Watching } from "../live.js";
import { change, percent, shares } from "../money.js";
import { label } from "../outcomes.js";
import { full } from "../time.js";

const CALM = 500;

class TickerStrip extends Watching {
  connectedCallback() {
    for (const event of ["mouseleave", "focusout"]) this.addEventListener(event, () => this.later());
    this.watch(
      (s) => s.ticker,
      (items) => {
        this.items = items;
        this.later();
      },
    );
  }

  later() {
    this.timer ??= setTimeout(
      () => {
        this.timer = null;
        if (!this.matches(":hover, :focus-within")) this.render();
      },
      this.childElementCount > 1 ? CALM : 0,
    );
  }

  render() {
    if (!this.items?.length || this.items === this.shown) return;
    this.shown = this.items;
    const kept = new Map([...this.children].map((c) => [c.dataset.key, c]));
    this.replaceChildren(...this.items.map((item) => kept.get(key(item)) ?? tick(item)));
  }
}

const key = (item) => `${item.market} ${item.seq}`;

function tick({ market, seq, at, trade, price, was }) {
  const moved = price && was ? change(was, price) : null;
  return h(
    "a",
    { class: "tick", href: `/m/${encodeURIComponent(market)}`, "data-key": `${market} ${seq}`, title: full(at) },
    h("span", { class: "tick-market" }, market),
    price && h("span", { class: "num" }, `${label(trade.outcome)} ${percent(price)}`),
    moved &&
      moved.direction !== "none" &&
      h("span", { class: "change num", "data-direction": moved.direction }, moved.text),
    h(
      "span",
      { class: "tick-who" },
      `${trade.account} ${trade.side === "buy" ? "bought" : "sold"} ${shares(trade.shares)}`,
    ),
  );
}

customElements.define("ticker-strip", TickerStrip);
