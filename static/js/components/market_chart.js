// <market-chart data-market>: the prices over time, live, with a table and a file of the same.
import * as api from "../api.js";
import { ceiling, Plot, Series } from "../chart.js";
import { csv } from "../csv.js";
import { $$, h, nextFrame, set, text } from "../dom.js";
import { store, Watching } from "../live.js";
import { exactPercent, percent } from "../money.js";
import { endedAt, isBinary, label, leader, slot } from "../outcomes.js";
import { full, now } from "../time.js";

const RANGES = { "1H": 3_600, "1D": 86_400, "1W": 604_800, All: Infinity };
const POINTS = 600;
const SHORTEST = 60;
const TABLE_ROWS = 200;
const MARKED = { halted: "halted", opened: "resumed", closed: "closed", resolved: "resolved" };

class MarketChart extends Watching {
  connectedCallback() {
    this.slug = this.dataset.market;
    const market = store.state.markets.get(this.slug)?.state;
    if (!market) return;
    this.series = new Series(market.outcomes);
    this.binary = isBinary(market);
    this.range = "All";
    this.build();
    this.plot = new Plot(this.canvas, (index) => this.hover(index));
    this.restyle();
    this.load();
    this.watchMarket((entry) => this.update(entry));
    this.every(1000, () => this.paint());
    const resizing = new ResizeObserver(() => this.paint());
    resizing.observe(this.canvas);
    const restyle = () => this.restyle();
    document.addEventListener("themechange", restyle);
    this.ends.push(
      () => resizing.disconnect(),
      () => document.removeEventListener("themechange", restyle),
    );
  }

  build() {
    this.readout = h("p", { class: "chart-readout num" });
    this.canvas = h("div", {
      class: "chart-canvas",
      role: "img",
      "aria-label": "Price over time; the same as a table below",
    });
    this.note = h("p", { class: "chart-note", hidden: true });
    this.table = h("div", { class: "chart-table", hidden: true, tabindex: 0 });
    const ranges = Object.keys(RANGES).map((name) =>
      h(
        "button",
        {
          type: "button",
          "data-range": name,
          "aria-pressed": String(name === this.range),
          onclick: () => this.choose(name),
        },
        name,
      ),
    );
    this.tableButton = h(
      "button",
      { class: "quiet-button", type: "button", "aria-expanded": "false", onclick: () => this.toggleTable() },
      "Table",
    );
    this.csv = h("button", { class: "quiet-button", type: "button", onclick: () => this.download() }, "CSV");
    this.replaceChildren(
      this.readout,
      this.canvas,
      this.note,
      h(
        "div",
        { class: "chart-foot" },
        h("div", { class: "segments", role: "group", "aria-label": "Range" }, ranges),
        h("div", { class: "chart-tools" }, this.tableButton, this.csv),
      ),
      this.table,
    );
  }

  async load() {
    const span = RANGES[this.range];
    const from = Number.isFinite(span) ? new Date(now() - span * 1000).toISOString() : undefined;
    try {
      const { points } = await api.getHistory(this.slug, { from, points: POINTS });
      this.series.load(points, store.state.markets.get(this.slug).state);
      this.note.hidden = true;
    } catch {
      this.note.hidden = false;
      text(this.note, "The history does not answer. New prices are drawn as they come; trying again in a moment.");
      this.retry ??= setTimeout(() => {
        this.retry = null;
        this.load();
      }, 5_000);
    }
    const entry = store.state.markets.get(this.slug);
    this.series.append(entry.tape);
    this.setBase();
    this.paint();
  }

  setBase() {
    if (this.range !== "All") return;
    const base = this.series.base(now() / 1000 - RANGES["1D"]);
    if (base) store.dispatch({ op: "base", market: this.slug, ...base });
  }

  update(entry) {
    if (entry.broken) this.wasBroken = true;
    else if (this.wasBroken) {
      this.wasBroken = false;
      return this.load();
    }
    if (this.series.append(entry.tape)) this.paint();
  }

  choose(name) {
    this.range = name;
    for (const b of $$("[data-range]", this)) set(b, { "aria-pressed": String(b.dataset.range === name) });
    this.load();
  }

  // restyle reads the colours that the theme gives.
  restyle() {
    const style = getComputedStyle(this);
    const value = (name) => style.getPropertyValue(name).trim();
    const market = store.state.markets.get(this.slug).state;
    this.slots = market.outcomes.map((o) => ({
      colour: value(`--c${slot(market, o).colour}`),
      dash: slot(market, o).line,
    }));
    this.look = { ink: value("--ink-3"), grid: value("--line-soft"), paper: value("--bg"), family: style.fontFamily };
    this.paint();
  }

  paint() {
    if (this.painting) return;
    this.painting = true;
    nextFrame(() => {
      this.painting = false;
      this.plot.draw(this.picture());
    });
  }

  // picture shows every outcome, but of two only one: the other is its mirror image.
  picture() {
    const { outcomes, prices, at } = this.series;
    const shown = this.binary ? [leader(store.state.markets.get(this.slug).state)] : outcomes;
    return {
      times: at,
      lines: shown.map((o) => ({
        ...this.slots[outcomes.indexOf(o)],
        values: prices[outcomes.indexOf(o)],
        fill: this.binary,
      })),
      range: this.window(),
      top: ceiling(prices, this.binary),
      marks: this.marks(),
      look: this.look,
    };
  }

  // end is where the lines stop: now, or when the market did.
  end() {
    return (endedAt(store.state.markets.get(this.slug).state) ?? now()) / 1000;
  }

  window() {
    const now = this.end();
    const first = this.series.at[0] ?? now - SHORTEST;
    const from = Number.isFinite(RANGES[this.range]) ? now - RANGES[this.range] : first;
    return [Math.min(from, now - SHORTEST), now];
  }

  marks() {
    return store.state.markets
      .get(this.slug)
      .tape.filter((e) => MARKED[e.kind])
      .map((e) => ({ at: Date.parse(e.at) / 1000, label: MARKED[e.kind] }));
  }

  hover(index) {
    if (index === null || this.series.at.length === 0) return text(this.readout, "");
    const named = this.series.outcomes
      .map((o, k) => [o, this.series.prices[k][index]])
      .sort((a, b) => (this.binary ? 0 : b[1] - a[1]))
      .slice(0, 5);
    text(
      this.readout,
      `${full(this.series.at[index] * 1000)}   ${named.map(([o, p]) => `${label(o)} ${percent(p.toFixed(12))}`).join("   ")}`,
    );
  }

  toggleTable() {
    this.table.hidden = !this.table.hidden;
    set(this.tableButton, { "aria-expanded": String(!this.table.hidden) });
    if (this.table.hidden) return;
    const { outcomes, at, prices } = this.series;
    const rows = at
      .map((t, i) =>
        h(
          "tr",
          {},
          h("td", {}, full(t * 1000)),
          outcomes.map((_, k) => h("td", {}, exactPercent(prices[k][i].toFixed(12)))),
        ),
      )
      .reverse();
    this.table.replaceChildren(
      h(
        "table",
        { class: "num" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, "Time"),
            outcomes.map((o) => h("th", { scope: "col", dir: "auto" }, label(o))),
          ),
        ),
        h("tbody", {}, rows.slice(0, TABLE_ROWS)),
      ),
    );
  }

  download() {
    const { outcomes, at, prices } = this.series;
    const rows = at.map((t, i) => [new Date(t * 1000).toISOString(), ...prices.map((p) => p[i].toFixed(12))]);
    const url = URL.createObjectURL(new Blob([csv([["at", ...outcomes], ...rows])], { type: "text/csv" }));
    h("a", { href: url, download: `${this.slug}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
}

customElements.define("market-chart", MarketChart);
