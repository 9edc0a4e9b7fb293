// <market-position data-market>: what you hold here, what it cost, and what it is worth now.
import { h } from "../dom.js";
import { store, Watching } from "../live.js";
import { add, credits, exactCredits, exactShares, held, isPositive, subtract, units } from "../money.js";
import { colourClass, label } from "../outcomes.js";
import { holdingValue } from "../value.js";

class MarketPosition extends Watching {
  connectedCallback() {
    const slug = this.dataset.market;
    this.watch(
      (s) => s.account?.handle ?? null,
      () => this.render(),
    );
    this.watch(
      (s) => s.positions.get(slug),
      () => this.render(),
    );
    this.watch(
      (s) => s.markets.get(slug)?.state,
      () => this.render(),
    );
  }

  render() {
    const { account, positions, markets } = store.state;
    const market = markets.get(this.dataset.market)?.state;
    this.hidden = !account || !market;
    if (this.hidden) return;
    const holding = positions.get(market.slug) ?? new Map();
    const shown = market.outcomes.filter((o) => isPositive(holding.get(o)?.shares ?? "0"));
    const body = shown.length
      ? h("div", { class: "holdings" }, rows(market, holding, shown))
      : h("p", { class: "holdings-none", "data-testid": "position" }, "You hold nothing here yet.");
    this.replaceChildren(h("h2", { class: "section-title" }, "Your position"), body);
  }
}

// rows is one for each outcome, and what the market's shares are worth together: of several outcomes
// in a row of its own, since selling one changes what the others bring.
function rows(market, holding, shown) {
  const costs = shown.map((o) => holding.get(o).cost);
  const worth = value(market, holdingValue(market, holding), costs.includes(undefined) ? undefined : costs.reduce(add));
  const lines = shown.map((o) =>
    row(
      `holding ${colourClass(market, o)}`,
      { "data-testid": "position", "data-outcome": o },
      [h("i", { class: "swatch" }), h("bdi", {}, label(o))],
      cell("Shares", held(holding.get(o).shares), { title: exactShares(holding.get(o).shares) }),
      holding.get(o).cost !== undefined &&
        cell("Cost", credits(holding.get(o).cost), { title: exactCredits(holding.get(o).cost) }),
      ...(shown.length === 1 ? worth : []),
    ),
  );
  return shown.length === 1
    ? lines
    : [...lines, row("holding holding-total", { "data-testid": "position-total" }, "Together", ...worth)];
}

function value(market, amount, cost) {
  const cells = [
    cell(market.payout ? "Paid out" : "If sold now", credits(amount), {
      title: exactCredits(amount),
      "data-testid": "position-value",
    }),
  ];
  if (cost === undefined) return cells;
  const gain = subtract(amount, cost);
  const size = gain.replace("-", "");
  const direction = units(size) < 5_000n ? "none" : gain === size ? "up" : "down";
  const shown = `${{ up: "▲ +", down: "▼ −", none: "" }[direction]}${credits(size)}`;
  return [
    ...cells,
    cell("Gain", shown, { class: "num change", "data-direction": direction, title: exactCredits(gain) }),
  ];
}

const row = (classes, attributes, name, ...cells) =>
  h("div", { class: classes, ...attributes }, h("span", { class: "holding-outcome" }, name), ...cells);
const cell = (name, amount, attributes) =>
  h(
    "div",
    { class: "cell" },
    h("span", { class: "cell-name" }, name),
    h("span", { class: "num", ...attributes }, amount),
  );

customElements.define("market-position", MarketPosition);
