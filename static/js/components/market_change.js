// <market-change data-market data-outcome>: how far the price went since a day ago, or since the
// market began. Empty until its history is known.
import { set, text } from "../dom.js";
import { watchMarket } from "../live.js";
import { change } from "../money.js";
import { full } from "../time.js";

class MarketChange extends HTMLElement {
  connectedCallback() {
    this.classList.add("change", "num");
    this.stop = watchMarket(this.dataset.market, (entry) => this.render(entry));
  }

  disconnectedCallback() {
    this.stop();
  }

  render({ state, base }) {
    const from = base?.prices[this.dataset.outcome];
    if (from === undefined) return;
    const { direction, text: words } = change(from, state.prices[this.dataset.outcome]);
    text(this, words);
    set(this, { "data-direction": direction, title: `since ${full(base.at)}` });
  }
}

customElements.define("market-change", MarketChange);
