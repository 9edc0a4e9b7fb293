// <market-price data-market data-outcome>: the live price of one outcome, as a chance.
import { text, tint } from "../dom.js";
import { store } from "../live.js";
import { exactPercent, percent } from "../money.js";

class MarketPrice extends HTMLElement {
  connectedCallback() {
    const { market, outcome } = this.dataset;
    this.stop = store.watch((s) => s.markets[market]?.state.prices[outcome], (price) => this.render(price));
  }

  disconnectedCallback() {
    this.stop();
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
