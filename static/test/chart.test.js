import assert from "node:assert/strict";
import { test } from "node:test";
import { ceiling, Series, spread, ticks } from "../js/chart.js";
import { colourClass, leader, slot, tradable } from "../js/outcomes.js";
import { ago, span, tick } from "../js/time.js";

const at = (second) => new Date(second * 1000).toISOString();

test("a series goes on with the tape, and takes no event twice", () => {
  const series = new Series(["yes", "no"]);
  series.load(
    [
      { seq: 1, at: at(10), prices: ["0.5", "0.5"] },
      { seq: 4, at: at(20), prices: ["0.6", "0.4"] },
    ],
    {},
  );
  const events = [3, 4, 5].map((seq) => ({ seq, at: at(30), prices: { yes: "0.7", no: "0.3" } }));
  assert.equal(series.append(events), true);
  assert.equal(series.append(events), false);
  assert.deepEqual(
    [series.at, series.prices],
    [
      [10, 20, 30],
      [
        [0.5, 0.6, 0.7],
        [0.5, 0.4, 0.3],
      ],
    ],
  );
});

test("time never runs backwards in a series, and the price of a moment is the last one before it", () => {
  const series = new Series(["yes", "no"]);
  series.load(
    [
      { seq: 1, at: at(10), prices: ["0.5", "0.5"] },
      { seq: 2, at: at(9), prices: ["0.6", "0.4"] },
    ],
    {},
  );
  assert.deepEqual(series.at, [10, 10]);
  assert.deepEqual(series.before(99).prices, [0.6, 0.4]);
  assert.deepEqual(series.before(1).prices, [0.5, 0.5]);
  assert.equal(new Series(["yes", "no"]).before(1), null);
});

test("a market's state is the one point of a quiet time", () => {
  const series = new Series(["a", "b"]);
  series.load([], { version: 7, updated_at: at(5), prices: { b: "0.8", a: "0.2" } });
  assert.deepEqual([series.seq, series.at, series.prices], [7, [Date.parse(at(5)) / 1000], [[0.2], [0.8]]]);
  assert.deepEqual(series.base(0), { at: Date.parse(at(5)), prices: { a: "0.200000000000", b: "0.800000000000" } });
});

test("two outcomes have the whole scale, many what they need", () => {
  assert.equal(ceiling([[0.1]], true), 1);
  assert.equal(ceiling([[0.05], [0.04]], false), 0.2);
  assert.equal(ceiling([[0.2], [0.22]], false), 0.25);
  assert.equal(ceiling([[0.95], [0.01]], false), 1);
});

test("labels keep apart and inside", () => {
  const placed = spread([{ y: 95 }, { y: 100 }, { y: 98 }, { y: 2 }], 20, 110).map((l) => l.y);
  placed.forEach((y, i) => i > 0 && assert.ok(y - placed[i - 1] >= 20, String(placed)));
  assert.ok(placed[0] >= 10 && placed.at(-1) <= 100, String(placed));
});

test("ticks are round in the reader's zone", () => {
  const hour = ticks([1000, 1000 + 3600], 5, 0);
  assert.equal(hour.step, 900);
  assert.ok(hour.at.every((t) => t % 900 === 0));
  const zone = 5.5 * 3600;
  const days = ticks([0, 6 * 86_400], 7, zone);
  assert.deepEqual([days.step, (days.at[0] + zone) % 86_400], [86_400, 0]);
});

test("a long time is divided by months and years that begin", () => {
  const [from, to] = [Date.UTC(2023, 11, 18) / 1000, Date.UTC(2026, 10, 24) / 1000];
  const quarters = ticks([from, to], 12, 0);
  assert.ok(
    quarters.at.length > 4 &&
      quarters.at.every((t) => new Date(t * 1000).getUTCDate() === 1 && new Date(t * 1000).getUTCMonth() % 3 === 0),
  );
  const years = ticks([from, to], 3, 3600);
  assert.deepEqual(
    years.at.map((t) => new Date((t + 3600) * 1000).toISOString()),
    ["2024-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"],
  );
  assert.ok(ticks([0, 9e11], 5, 0).at.length < 400);
});

test("ticks over days and years name the date", () => {
  const local = (...parts) => new Date(...parts).getTime() / 1000;
  const present = local(2026, 10, 24) * 1000;
  const date = (options) => (seconds) => new Intl.DateTimeFormat(undefined, options).format(seconds * 1000);
  const [monthDay, withYear] = [
    date({ month: "short", day: "numeric" }),
    date({ year: "numeric", month: "short", day: "numeric" }),
  ];
  const [noon, midnight, before] = [local(2026, 10, 22, 12), local(2026, 10, 22), local(2025, 11, 18)];
  assert.equal(tick(noon, 43_200, present), date({ hour: "2-digit", minute: "2-digit" })(noon));
  assert.equal(tick(midnight, 43_200, present), monthDay(midnight));
  assert.equal(tick(midnight, 86_400, present), monthDay(midnight));
  assert.equal(tick(before, 86_400, present), withYear(before));
  assert.equal(
    tick(local(2025, 3, 1), 91 * 86_400, present),
    date({ year: "numeric", month: "short" })(local(2025, 3, 1)),
  );
  assert.equal(tick(local(2025, 0, 1), 360 * 86_400, present), "2025");
});

test("fifty outcomes look different", () => {
  const outcomes = Array.from({ length: 50 }, (_, i) => `o${i}`);
  assert.equal(new Set(outcomes.map((o) => JSON.stringify(slot({ outcomes }, o)))).size, 50);
});

test("yes is blue and no is orange, whichever comes first", () => {
  assert.equal(colourClass({ outcomes: ["yes", "no"] }, "yes"), "oc0");
  assert.equal(colourClass({ outcomes: ["no", "yes"] }, "yes"), "oc0");
  assert.equal(colourClass({ outcomes: ["no", "yes"] }, "no"), "oc1");
});

test("twenty outcomes look different: eight colours in three kinds of line", () => {
  const outcomes = Array.from({ length: 20 }, (_, i) => `o${i}`);
  const looks = new Set(outcomes.map((o) => JSON.stringify(slot({ outcomes }, o))));
  assert.equal(looks.size, 20);
});

test("the leader is Yes, or the likeliest, the first of equals", () => {
  assert.equal(leader({ outcomes: ["no", "yes"], prices: { no: "0.9", yes: "0.1" } }), "yes");
  assert.equal(leader({ outcomes: ["a", "b", "c"], prices: { a: "0.2", b: "0.4", c: "0.4" } }), "b");
});

test("a market takes orders while it is open and not past its close", () => {
  const now = Date.parse(at(100));
  assert.equal(tradable({ status: "open", closes_at: null }, now), true);
  assert.equal(tradable({ status: "open", closes_at: at(101) }, now), true);
  assert.equal(tradable({ status: "open", closes_at: at(100) }, now), false);
  assert.equal(tradable({ status: "halted", closes_at: null }, now), false);
});

test("spans have two units at most", () => {
  const plain = (ms) => span(ms).replaceAll("\u202f", " ");
  assert.equal(plain(0), "0 s");
  assert.equal(plain(61_000), "1 min 1 s");
  assert.equal(plain(3 * 86_400_000 + 4 * 3_600_000 + 59_000), "3 d 4 h");
  assert.equal(plain(86_400_000 + 30_000), "1 d");
  assert.equal(ago(at(10), Date.parse(at(12))), "now");
});
