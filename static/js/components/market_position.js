// <market-position data-market>: what you hold here, what it cost, and what it is worth now.
import { h } from "../dom.js";
import { store, Watching } from "../live.js";
import { credits, exactCredits, exactShares, isPositive, saleValue, shares, subtract, units, worth } from "../money.js";
import { colourClass, label } from "../outcomes.js";

class MarketPosition extends Watching {
  connectedCallback() {
    const slug = this.dataset.market;
    this.watch((s) => s.account?.handle ?? null, () => this.render());
    this.watch((s) => s.positions[slug], () => this.render());
    this.watch((s) => s.markets[slug]?.state.prices, () => this.render());
  }

  render() {
    const { account, positions, markets } = store.state;
    const market = markets[this.dataset.market]?.state;
    this.hidden = !account || !market;
    if (this.hidden) return;
    const held = market.outcomes.filter((o) => isPositive(positions[market.slug]?.[o]?.shares ?? "0"));
    const body = held.length
      ? h("div", { class: "holdings" }, held.map((o) => holding(market, o, positions[market.slug][o])))
      : h("p", { class: "holdings-none", "data-testid": "position" }, "You hold nothing here yet.");
    this.replaceChildren(h("h2", { class: "section-title" }, "Your position"), body);
  }
}

function holding(market, outcome, { shares: count, cost }) {
  const payout = market.payout?.[outcome];
  const value = payout === undefined ? saleValue(count, market.prices[outcome], market.liquidity) : worth(count, payout);
  const gain = cost === undefined ? null : subtract(value, cost);
  const direction = gain === null || units(gain) === 0n ? "none" : units(gain) > 0n ? "up" : "down";
  const gainText = gain && `${{ up: "▲ +", down: "▼ −", none: "" }[direction]}${credits(gain.replace("-", ""))}`;
  const cell = (name, value, attributes = {}) => h("div", { class: "cell" }, h("span", { class: "cell-name" }, name), h("span", { class: "num", ...attributes }, value));
  return h(
    "div", { class: `holding ${colourClass(market, outcome)}`, "data-testid": "position", "data-outcome": outcome },
    h("span", { class: "holding-outcome" }, h("i", { class: "swatch" }), label(outcome)),
    cell("Shares", shares(count), { title: exactShares(count) }),
    cost === undefined ? null : cell("Cost", credits(cost), { title: exactCredits(cost) }),
    cell(payout === undefined ? "If sold now" : "Paid out", credits(value), { title: exactCredits(value) }),
    gainText && cell("Gain", gainText, { class: "num change", "data-direction": direction, title: exactCredits(gain) }),
  );
}

customElements.define("market-position", MarketPosition);
