// <market-spark data-market data-outcome>: the last day in a thumbnail, fetched when it is seen.
import * as api from "../api.js";
import { Series } from "../chart.js";
import { $ } from "../dom.js";
import { store, Watching } from "../live.js";
import { now } from "../time.js";

const POINTS = 60;
const AT_ONCE = 4;
const DAY = 86_400_000;
const [WIDTH, HEIGHT, EDGE] = [100, 28, 2];

const waiting = [];
let running = 0;

// inTurn keeps a list of many markets from asking for all histories at once.
async function inTurn(run) {
  if (running >= AT_ONCE) await new Promise((go) => waiting.push(go));
  running++;
  try {
    return await run();
  } finally {
    running--;
    waiting.shift()?.();
  }
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const e of entries) {
      if (!e.isIntersecting) continue;
      seen.unobserve(e.target);
      e.target.load();
    }
  },
  { rootMargin: "200px" },
);

const svg = (tag, attributes) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};

class MarketSpark extends Watching {
  connectedCallback() {
    this.line ??= $(".spark-line", this); // the server has drawn it
    this.area ??= $(".spark-area", this);
    if (!this.line) {
      this.line = svg("path", { class: "spark-line", fill: "none", "vector-effect": "non-scaling-stroke" });
      this.area = svg("path", { class: "spark-area" });
      const box = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
      box.append(this.area, this.line);
      this.append(box);
    }
    seen.observe(this);
  }

  disconnectedCallback() {
    seen.unobserve(this);
    super.disconnectedCallback();
  }

  async load() {
    const { market } = this.dataset;
    const { outcomes } = store.state.markets.get(market).state;
    this.series = new Series(outcomes);
    try {
      const from = new Date(now() - DAY).toISOString();
      const { points } = await inTurn(() => api.getHistory(market, { from, points: POINTS }));
      this.series.load(points, store.state.markets.get(market).state);
    } catch {
      return; // a thumbnail less; the price beside it is what counts
    }
    const base = this.series.base(0);
    if (base) store.dispatch({ op: "base", market, ...base });
    if (this.isConnected) this.watchMarket((entry) => this.draw(entry));
  }

  draw(entry) {
    const grew = this.series.append(entry.tape);
    if (this.drawn && !grew) return;
    this.drawn = true;
    const values = this.series.prices[this.series.outcomes.indexOf(this.dataset.outcome)];
    if (values.length === 0) return;
    const [low, high] = scale(values);
    const [from, to] = [Math.max(this.series.at[0], (now() - DAY) / 1000), now() / 1000];
    const y = (v) => (EDGE + (1 - (v - low) / (high - low)) * (HEIGHT - 2 * EDGE)).toFixed(2);
    const x = (t) => (Math.max(0, (t - from) / (to - from)) * WIDTH).toFixed(2);
    const steps =
      values.map((v, i) => `${i === 0 ? `M0 ${y(v)}` : `H${x(this.series.at[i])}V${y(v)}`}`).join("") + `H${WIDTH}`;
    this.line.setAttribute("d", steps);
    this.area.setAttribute("d", `${steps}V${HEIGHT}H0Z`);
  }
}

// scale shows the shape, but never makes a mountain of a tenth of a percent.
function scale(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(0, 0.08 - (high - low)) / 2;
  return [low - room, high + room];
}

customElements.define("market-spark", MarketSpark);
