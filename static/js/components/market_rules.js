// <market-rules data-market>: what the question means and how the market works.
import { $, h } from "../dom.js";
import { Watching } from "../live.js";
import { credits, integer } from "../money.js";
import { label, own } from "../outcomes.js";
import { full } from "../time.js";

class MarketRules extends Watching {
  connectedCallback() {
    this.facts = h("dl", { class: "facts-list" });
    $(".rules-about", this).after(this.facts);
    this.watchMarket((entry) => this.render(entry.state));
  }

  render(m) {
    const facts = [
      ["Outcomes", m.outcomes.map(label).join(", ")],
      ["Closes", m.closes_at ? full(m.closes_at) : "when somebody closes it"],
      ["Opened", `${full(m.created_at)}${m.created_by ? ` by ${m.created_by}` : ""}`],
      ["Liquidity", `b = ${m.liquidity}; the maker can lose at most ${credits(m.subsidy)}`],
      ["Shares out", m.outcomes.map((o) => `${label(o)} ${integer(own(m.outstanding, o) ?? 0)}`).join(", ")],
    ];
    this.facts.replaceChildren(
      ...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", { class: "num" }, value))),
    );
  }
}

customElements.define("market-rules", MarketRules);
