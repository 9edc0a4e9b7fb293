// A price chart: its data, whose prices become floats here, for pixels only, and its drawing.
import { tick } from "./time.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  1,
  2,
  5,
  10,
  15,
  30,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  14 * DAY,
];
const MONTH = 30 * DAY;
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200];
const MARGIN = { top: 12, right: 58, bottom: 24, left: 0 };
const TICK_SPACE = 92;
const POINT_SPACE = 14;
const MARK_SPACE = 56;
const LABELS = 6;
const LABEL_HEIGHT = 18;
const DASHES = [[], [7, 4], [2, 3], [12, 4], [7, 3, 2, 3], [1, 5], [12, 3, 2, 3, 2, 3]]; // with 8 colours, 56 lines

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

  // load takes the points of a history answer; when nothing has happened for longer than a chart
  // shows, the market's state is the one there is.
  load(points, { version, updated_at, prices }) {
    this.clear();
    for (const p of points) this.push(p.seq, p.at, p.prices);
    if (points.length === 0)
      this.push(
        version,
        updated_at,
        this.outcomes.map((o) => prices[o]),
      );
  }

  // append takes what follows of a tape; events that are known already change nothing.
  append(events) {
    let grew = false;
    for (const e of events) {
      if (e.seq <= this.seq || !e.prices) continue;
      this.push(
        e.seq,
        e.at,
        this.outcomes.map((o) => e.prices[o]),
      );
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

  // base is that as the store has it.
  base(time) {
    const { at, prices } = this.before(time) ?? {};
    return at && { at, prices: Object.fromEntries(this.outcomes.map((o, i) => [o, prices[i].toFixed(12)])) };
  }
}

// ceiling is the top of the scale: 100 % for two outcomes, else what leaves the lines room.
export function ceiling(prices, binary) {
  if (binary) return 1;
  const top = prices.flat().reduce((most, p) => Math.max(most, p), 0.1);
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

// ticks divides a range of time into round steps, in the zone that is `zone` seconds ahead of UTC.
export function ticks([from, to], most, zone) {
  const step = STEPS.find((s) => (to - from) / s <= most);
  const at = [];
  if (!step) return monthTicks([from, to], most, zone);
  for (let t = Math.ceil((from + zone) / step) * step - zone; t <= to; t += step) at.push(t);
  return { step, at };
}

// monthTicks divides a longer range by months that begin, or years.
function monthTicks([from, to], most, zone) {
  const months = MONTHS.find((m) => (to - from) / (m * MONTH) <= most) ?? MONTHS.at(-1);
  const first = new Date((from + zone) * 1000);
  const at = [];
  for (let m = Math.ceil((first.getUTCFullYear() * 12 + first.getUTCMonth()) / months) * months; ; m += months) {
    const t = Date.UTC(Math.floor(m / 12), m % 12) / 1000 - zone;
    if (!(t <= to)) return { step: months * MONTH, at };
    if (t >= from) at.push(t);
  }
}

// Plot draws step lines over time on a canvas, with what changes under the pointer on a second
// one above. It knows pixels, not markets.
export class Plot {
  // onHover gets the index of the step under the pointer, or null.
  constructor(host, onHover) {
    Object.assign(this, { host, onHover, at: null });
    this.base = host.appendChild(document.createElement("canvas"));
    this.over = host.appendChild(document.createElement("canvas"));
    host.addEventListener("pointermove", (event) => this.point(event));
    host.addEventListener("pointerdown", (event) => this.point(event));
    host.addEventListener("pointerleave", () => this.leave());
  }

  // draw paints a picture: {times, lines: [{values, colour, dash, fill}], range, top, marks:
  // [{at, label}], look: {ink, grid, paper, family}}; times are seconds, values 0…top.
  draw(picture) {
    this.picture = picture;
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!width || !height) return;
    this.size = { width, height, right: width - MARGIN.right, bottom: height - MARGIN.bottom };
    const ctx = fit(this.base, width, height);
    this.drawGrid(ctx);
    this.drawTimes(ctx);
    this.drawMarks(ctx);
    this.clip(ctx, () => picture.lines.forEach((line) => this.drawLine(ctx, line)));
    this.drawEdge(ctx);
    this.drawCursor();
  }

  x(time) {
    const [from, to] = this.picture.range;
    return MARGIN.left + ((time - from) / (to - from)) * (this.size.right - MARGIN.left);
  }

  y(value) {
    return this.size.bottom - (value / this.picture.top) * (this.size.bottom - MARGIN.top);
  }

  text(ctx, words, x, y, align, colour = this.picture.look.ink, weight = 400) {
    ctx.font = `${weight} 11px ${this.picture.look.family}`;
    ctx.fillStyle = colour;
    ctx.textAlign = align;
    ctx.textBaseline = "middle";
    ctx.fillText(words, x, y);
  }

  drawGrid(ctx) {
    const { top, look } = this.picture;
    ctx.strokeStyle = look.grid;
    for (const part of [0, 0.25, 0.5, 0.75, 1]) {
      const y = Math.round(this.y(part * top)) + 0.5;
      stroke(ctx, [
        [MARGIN.left, y],
        [this.size.right, y],
      ]);
      this.text(ctx, `${Math.round(part * top * 1000) / 10}\u202f%`, this.size.width - 6, y, "right");
    }
  }

  drawTimes(ctx) {
    const { range } = this.picture;
    const zone = -new Date(range[1] * 1000).getTimezoneOffset() * 60;
    const { step, at } = ticks(range, Math.max(2, this.size.right / TICK_SPACE), zone);
    for (const time of at) {
      const x = this.x(time);
      const words = tick(time, step);
      const half = ctx.measureText(words).width / 2;
      if (x > half && x < this.size.right + 28 - half) this.text(ctx, words, x, this.size.height - 9, "center");
    }
  }

  drawMarks(ctx) {
    const { marks, look } = this.picture;
    ctx.strokeStyle = look.ink;
    ctx.setLineDash([3, 3]);
    let written = -Infinity;
    for (const { at, label } of marks) {
      const x = Math.round(this.x(at)) + 0.5;
      if (x < MARGIN.left || x > this.size.right + 1) continue;
      stroke(ctx, [
        [x, MARGIN.top],
        [x, this.size.bottom],
      ]);
      if (x - written < MARK_SPACE) continue;
      written = x;
      const left = x > this.size.right / 2;
      this.text(ctx, label, left ? x - 5 : x + 5, MARGIN.top + 7, left ? "right" : "left");
    }
    ctx.setLineDash([]);
  }

  clip(ctx, run) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(MARGIN.left, 0, this.size.right - MARGIN.left, this.size.height);
    ctx.clip();
    run();
    ctx.restore();
  }

  // drawLine steps from trade to trade, from the price that held when the range begins.
  drawLine(ctx, { values, colour, dash, fill }) {
    const { times, range } = this.picture;
    const first = Math.max(
      0,
      times.findLastIndex((t) => t <= range[0]),
    );
    const corners = [];
    for (let i = first; i < times.length; i++) {
      if (i > first) corners.push([this.x(times[i]), this.y(values[i - 1])]);
      corners.push([this.x(times[i]), this.y(values[i])]);
    }
    if (corners.length === 0) return;
    const end = [this.size.right, corners.at(-1)[1]];
    if (fill) this.fillBelow(ctx, [...corners, end], colour);
    ctx.strokeStyle = colour;
    ctx.lineWidth = 2;
    ctx.lineJoin = "round";
    ctx.setLineDash(DASHES[dash % DASHES.length]);
    stroke(ctx, [...corners, end]);
    ctx.setLineDash([]);
    ctx.lineWidth = 1;
    const crowded = times.length - first > this.size.right / POINT_SPACE;
    if (!crowded) for (let i = first; i < times.length; i++) dot(ctx, this.x(times[i]), this.y(values[i]), 2.6, colour);
  }

  fillBelow(ctx, corners, colour) {
    const shade = ctx.createLinearGradient(0, MARGIN.top, 0, this.size.bottom);
    shade.addColorStop(0, `${colour}33`);
    shade.addColorStop(1, `${colour}05`);
    ctx.fillStyle = shade;
    ctx.beginPath();
    ctx.moveTo(corners[0][0], this.size.bottom);
    for (const [x, y] of corners) ctx.lineTo(x, y);
    ctx.lineTo(this.size.right, this.size.bottom);
    ctx.fill();
  }

  // drawEdge writes the last values beside the lines' ends, the highest six.
  drawEdge(ctx) {
    const { lines, look } = this.picture;
    const labels = lines
      .filter((l) => l.values.length)
      .map((l) => ({ value: l.values.at(-1), colour: l.colour, y: this.y(l.values.at(-1)) }));
    for (const l of labels) dot(ctx, this.size.right, l.y, 4, l.colour);
    labels.sort((a, b) => b.value - a.value).splice(LABELS);
    for (const l of spread(labels, LABEL_HEIGHT + 1, this.size.bottom + LABEL_HEIGHT / 2)) {
      ctx.fillStyle = l.colour;
      ctx.beginPath();
      ctx.roundRect(
        this.size.right + 9,
        l.y - LABEL_HEIGHT / 2,
        this.size.width - this.size.right - 10,
        LABEL_HEIGHT,
        5,
      );
      ctx.fill();
      this.text(
        ctx,
        (l.value * 100).toFixed(1),
        (this.size.right + 8 + this.size.width) / 2,
        l.y + 0.5,
        "center",
        look.paper,
        600,
      );
    }
  }

  point(event) {
    const { times, range } = this.picture ?? {};
    if (!times?.length || !this.size) return;
    const x = event.clientX - this.host.getBoundingClientRect().left;
    const time = range[0] + ((x - MARGIN.left) / (this.size.right - MARGIN.left)) * (range[1] - range[0]);
    this.at = Math.max(
      0,
      times.findLastIndex((t) => t <= Math.min(time, range[1])),
    );
    this.cursorX = Math.min(Math.max(x, MARGIN.left), this.size.right);
    this.drawCursor();
    this.onHover(this.at);
  }

  leave() {
    this.at = null;
    this.drawCursor();
    this.onHover(null);
  }

  drawCursor() {
    const ctx = fit(this.over, this.size.width, this.size.height);
    if (this.at === null) return;
    const { lines, look } = this.picture;
    ctx.strokeStyle = look.ink;
    const x = Math.round(this.cursorX) + 0.5;
    stroke(ctx, [
      [x, MARGIN.top],
      [x, this.size.bottom],
    ]);
    for (const { values, colour } of lines) {
      dot(ctx, x, this.y(values[this.at]), 5, look.paper);
      dot(ctx, x, this.y(values[this.at]), 3.5, colour);
    }
  }
}

// fit gives a cleared canvas the size of its place in device pixels, and a context in CSS pixels.
function fit(canvas, width, height) {
  const ratio = globalThis.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return ctx;
}

function stroke(ctx, corners) {
  ctx.beginPath();
  corners.forEach(([x, y], i) => (i === 0 ? ctx.moveTo(x, y) : ctx.lineTo(x, y)));
  ctx.stroke();
}

function dot(ctx, x, y, radius, colour) {
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
}
