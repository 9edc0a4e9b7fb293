// <trade-bar data-market>: on a phone, the way to the ticket: one button an outcome, or one for all.
import { $, h } from "../dom.js";
import { store } from "../live.js";
import { colourClass, isBinary, label, leader } from "../outcomes.js";

class TradeBar extends HTMLElement {
  connectedCallback() {
    const market = store.state.markets.get(this.dataset.market)?.state;
    if (!market) return;
    const open = (outcome) => () => $("trade-ticket").openSheet(outcome);
    const price = (outcome) => h("market-price", { class: "num", "data-market": market.slug, "data-outcome": outcome });
    const buttons = isBinary(market)
      ? market.outcomes.map((o) =>
          h(
            "button",
            { type: "button", class: `bar-button ${colourClass(market, o)}`, onclick: open(o) },
            h("span", { dir: "auto" }, label(o)),
            price(o),
          ),
        )
      : [
          h(
            "button",
            { type: "button", class: "bar-button bar-neutral", onclick: open(leader(market)) },
            h("span", {}, "Trade"),
          ),
        ];
    this.replaceChildren(...buttons);
  }
}

customElements.define("trade-bar", TradeBar);
