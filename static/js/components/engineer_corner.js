// <engineer-corner data-market>: the market as its database sees it, and the lines to reach it.
import * as api from "../api.js";
import { announce, h, text } from "../dom.js";
import { watchMarket } from "../live.js";

const SOURCE_EVERY = 5_000;

class EngineerCorner extends HTMLElement {
  connectedCallback() {
    this.version = h("span", { class: "num", "data-testid": "version" });
    this.cursor = h("code", { class: "copy-text" });
    this.sql = h("code", { class: "copy-text" });
    this.curl = h("code", { class: "copy-text" });
    this.source = h("p", { class: "corner-source" }, "…");
    const details = h(
      "details", { class: "corner", open: matchMedia("(min-width: 900px)").matches },
      h("summary", {}, h("span", {}, "Trade it from psql"), this.version),
      copyable("SQL", this.sql),
      copyable("Follow the stream", this.curl),
      copyable("Cursor", this.cursor),
      h("div", { class: "copy-name" }, "This node's reader"),
      this.source,
    );
    this.replaceChildren(details);
    this.stop = watchMarket(this.dataset.market, ({ state }) => this.render(state));
    const refresh = () => details.open && !document.hidden && this.refreshSource();
    details.addEventListener("toggle", refresh);
    this.timer = setInterval(refresh, SOURCE_EVERY);
    refresh();
  }

  disconnectedCallback() {
    this.stop();
    clearInterval(this.timer);
  }

  render(market) {
    text(this.version, `v${market.version}`);
    text(this.cursor, market.cursor);
    text(this.sql, sqlLine(market));
    text(this.curl, `curl -N ${location.origin}/api/v1/markets/${market.slug}/stream`);
  }

  async refreshSource() {
    try {
      const s = await api.getSource();
      text(this.source, [s.mode, s.state, s.lag_ms !== undefined && `lag ${Math.round(s.lag_ms)}\u202fms`].filter(Boolean).join(" · ") + (s.why ? ` — ${s.why}` : ""));
    } catch {
      text(this.source, "does not answer right now");
    }
  }
}

// sqlLine is an order that works as it stands: bounded a little above what it costs now. An
// illustration, so floating point will do.
function sqlLine({ slug, outcomes, prices, liquidity }) {
  const outcome = outcomes.includes("yes") ? "yes" : outcomes[0];
  const price = Math.min(1, Number(prices[outcome]) + 10 / (4 * Number(liquidity)) + 0.02);
  const literal = (s) => `'${s.replaceAll("'", "''")}'`;
  return `select * from pgtape.trade(${literal(slug)}, ${literal(outcome)}, 'buy', shares => 10, max_cost => ${Math.ceil(price * 100) / 10});`;
}

function copyable(name, code) {
  const button = h("button", { class: "quiet-button", type: "button", "aria-label": `Copy: ${name}` }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
      announce(`${name} copied.`);
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return h("div", { class: "copyable" }, h("div", { class: "copy-name" }, name, button), code);
}

customElements.define("engineer-corner", EngineerCorner);
