// The data of a price chart. Prices become floats here, for pixels only.

const seconds = (at) => Date.parse(at) / 1000;

// Series is the steps of all outcomes' prices, oldest first.
export class Series {
  constructor(outcomes) {
    this.outcomes = outcomes;
    this.clear();
  }

  clear() {
    this.at = [];
    this.prices = this.outcomes.map(() => []);
    this.seq = 0;
  }

  // load takes the points of a history answer.
  load(points) {
    this.clear();
    for (const p of points) this.push(p.seq, p.at, p.prices);
  }

  // append takes what follows of a tape; events that are known already change nothing.
  append(events) {
    let grew = false;
    for (const e of events) {
      if (e.seq <= this.seq || !e.prices) continue;
      this.push(e.seq, e.at, this.outcomes.map((o) => e.prices[o]));
      grew = true;
    }
    return grew;
  }

  push(seq, at, prices) {
    // Clocks may step back a little; a chart's time does not.
    this.at.push(Math.max(seconds(at), this.at.at(-1) ?? 0));
    prices.forEach((p, i) => this.prices[i].push(Number(p)));
    this.seq = seq;
  }

  // before is the prices that held at a time, in seconds; the first known ones before that.
  before(time) {
    let i = this.at.findLastIndex((t) => t <= time);
    if (i < 0) i = 0;
    return this.at.length ? { at: this.at[i] * 1000, prices: this.prices.map((p) => p[i]) } : null;
  }
}

// asPoint is a market's state as a point of its history: all there is when nothing has happened
// for longer than a chart shows.
export const asPoint = ({ version, updated_at: at, outcomes, prices }) => ({ seq: version, at, prices: outcomes.map((o) => prices[o]) });

// ceiling is the top of the scale: 100 % for two outcomes, else what leaves the lines room.
export function ceiling(prices, binary) {
  if (binary) return 1;
  const top = Math.max(0.1, ...prices.flat());
  return [0.1, 0.2, 0.25, 0.5, 0.75].find((c) => top * 1.12 <= c) ?? 1;
}

// spread moves labels apart that would overlap: positions sorted by y, at least `gap` from each
// other, within [0, limit].
export function spread(labels, gap, limit) {
  const sorted = [...labels].sort((a, b) => a.y - b.y);
  sorted.forEach((l, i) => (l.y = Math.max(l.y, i === 0 ? gap / 2 : sorted[i - 1].y + gap)));
  for (let i = sorted.length - 1, floor = limit - gap / 2; i >= 0; i--) {
    sorted[i].y = Math.min(sorted[i].y, floor);
    floor = sorted[i].y - gap;
  }
  return sorted;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY, 365 * DAY];

// ticks divides a range of time into round steps, in the zone that is `zone` seconds ahead of UTC.
export function ticks([from, to], most, zone) {
  const step = STEPS.find((s) => (to - from) / s <= most) ?? STEPS.at(-1);
  const at = [];
  for (let t = Math.ceil((from + zone) / step) * step - zone; t <= to; t += step) at.push(t);
  return { step, at };
}
