// <engineer-corner data-market>: the market as its database sees it, and the lines to reach it.
import * as api from "../api.js";
import { $, $$, announce, text } from "../dom.js";
import { Watching } from "../live.js";

const SOURCE_EVERY = 5_000;

class EngineerCorner extends Watching {
  connectedCallback() {
    const details = $("details", this);
    details.open = matchMedia("(min-width: 900px)").matches;
    this.version = $("[data-testid=version]", this);
    this.source = $(".corner-source", this);
    [this.sql, this.curl, this.cursor, this.frame] = $$(".copy-text", this);
    for (const code of [this.sql, this.curl, this.cursor, this.frame]) copies($("button", code.parentElement), code);
    this.watchMarket(({ state }) => this.render(state));
    const refresh = () => details.open && !document.hidden && this.refreshSource();
    details.addEventListener("toggle", refresh);
    this.every(SOURCE_EVERY, refresh);
    refresh();
  }

  render(market) {
    text(this.version, `v${market.version}`);
    text(this.cursor, market.cursor);
    text(this.sql, sqlLine(market));
    text(this.curl, `curl -N ${location.origin}/api/v1/markets/${market.slug}/stream`);
    text(
      this.frame,
      `<iframe src="${location.origin}/embed/${market.slug}" title="${market.slug} on pgtape" width="400" height="240" loading="lazy" style="border:0"></iframe>`,
    );
  }

  async refreshSource() {
    try {
      const s = await api.getSource();
      text(
        this.source,
        [s.mode, s.state, s.lag_ms !== undefined && `lag ${Math.round(s.lag_ms)}\u202fms`].filter(Boolean).join(" · ") +
          (s.why ? ` — ${s.why}` : ""),
      );
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

function copies(button, code) {
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
      announce("Copied.");
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}

customElements.define("engineer-corner", EngineerCorner);
