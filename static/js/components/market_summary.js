// <market-summary data-market>: what the crowd thinks, since when, and how much stands behind it.
// The server drew the prices; this adds what changes over time.
import { $, $$, h, text } from "../dom.js";
import { Watching } from "../live.js";
import { counted, credits, exactCredits, roundCredits } from "../money.js";
import { endedAt, label, tradable } from "../outcomes.js";
import { full, now, span } from "../time.js";
import { note } from "./market_tape.js";

class MarketSummary extends Watching {
  connectedCallback() {
    const { market } = this.dataset;
    for (const price of $$("market-price", this)) {
      price.after(h("market-change", { "data-market": market, "data-outcome": price.dataset.outcome }));
    }
    this.banner = h("p", { class: "banner", hidden: true });
    this.append(this.banner);
    this.watchMarket((entry) => this.render(entry));
    this.every(1000, () => this.render(this.entry));
  }

  render(entry) {
    this.entry = entry;
    const { state } = entry;
    const facts = $(".facts", this);
    text(
      facts,
      [
        when(state),
        `${roundCredits(state.volume)}\u00a0traded`,
        counted(state.trades, "trade", "trades"),
        state.trades > 0 && counted(state.traders, "person", "people"),
      ]
        .filter(Boolean)
        .join("  ·  "),
    );
    facts.title = exactCredits(state.volume);
    const words = statusWords(entry);
    this.banner.hidden = !words;
    this.banner.dataset.status = state.status;
    text(this.banner, words ?? "");
  }
}

function when(market) {
  const { status, closes_at: closes } = market;
  if (endedAt(market)) return `${status === "void" ? "Void" : "Resolved"} ${full(endedAt(market))}`;
  if (!closes || status !== "open") return null;
  const left = Date.parse(closes) - now();
  return left > 0 ? `Closes in ${span(left)}` : `Closed ${full(closes)}`;
}

const WAITING = {
  draft: "A draft: it does not trade yet.",
  halted: "Trading is halted.",
  closed: "Trading is closed. The market waits to be resolved.",
  proposed: "A resolution is proposed. Those who hold shares may dispute it.",
  disputed: "The proposed resolution is disputed.",
};

// statusWords says why there is no trading, if so.
function statusWords({ state, tape }) {
  if (state.status === "open") return tradable(state) ? null : "Trading is over. The market waits to be resolved.";
  if (endedAt(state) && state.payout) {
    const pays = Object.entries(state.payout).filter(([, p]) => Number(p) > 0);
    return `${state.status === "void" ? "Void" : "Resolved"}: ${pays.map(([o, p]) => `${label(o)} paid ${credits(p)} a share`).join(", ")}.`;
  }
  const last = tape.findLast((e) => e.status === state.status || e.kind === state.status);
  return last ? `${note(last)}.` : (WAITING[state.status] ?? state.status);
}

customElements.define("market-summary", MarketSummary);
