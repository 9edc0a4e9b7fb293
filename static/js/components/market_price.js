// <market-price data-market data-outcome>: the live price of one outcome, as a chance.
import { set, text, tint } from "../dom.js";
import { Watching } from "../live.js";
import { change, exactPercent, percent } from "../money.js";
import { own } from "../outcomes.js";
import { full } from "../time.js";

class MarketPrice extends Watching {
  connectedCallback() {
    const { market, outcome } = this.dataset;
    this.watch(
      (s) => own(s.markets.get(market)?.state.prices, outcome),
      (price) => this.render(price),
    );
  }

  render(price) {
    const shown = percent(price);
    if (this.price && this.textContent !== shown) tint(this);
    this.price = price;
    text(this, shown);
    this.title = exactPercent(price);
  }
}

customElements.define("market-price", MarketPrice);

// <market-change data-market data-outcome>: how far the price went since a day ago, or since the
// market began. Empty until its history is known.
class MarketChange extends Watching {
  connectedCallback() {
    this.classList.add("change", "num");
    this.watchMarket((entry) => this.render(entry));
  }

  render({ state, base }) {
    const from = own(base?.prices, this.dataset.outcome);
    if (from === undefined) return;
    const { direction, text: words } = change(from, state.prices[this.dataset.outcome]);
    text(this, words);
    set(this, { "data-direction": direction, title: `since ${full(base.at)}` });
  }
}

customElements.define("market-change", MarketChange);
