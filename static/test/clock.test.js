import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Feed } from "../js/feed.js";

// feed.js measures spans by it, and asks the server's time; time.js goes by that.
const mayLook = new Set(["feed.js", "time.js"]);

test("the device's clock is asked in one place", () => {
  const files = readdirSync(new URL("../js", import.meta.url), { recursive: true }).filter(
    (name) => name.endsWith(".js") && !mayLook.has(name),
  );
  const found = files.filter((name) =>
    /\bDate\.now\b|new Date\(\)/.test(readFileSync(new URL(`../js/${name}`, import.meta.url), "utf8")),
  );
  assert.deepEqual(found, [], "now() of time.js is the server's time");
});

test("the server's time is known from what it says, however the device's clock is set", () => {
  const noon = Date.parse("2026-02-03T12:00:00Z");
  let [device, steady] = [noon + 7_200_000, 1_000];
  const feed = new Feed({ url: "ws://example.org/ws", clock: { now: () => device, steady: () => steady } });
  assert.equal(feed.serverNow(), device, "nothing else is known");
  feed.hear(noon, 900); // the page, 100 ms after it began to arrive
  assert.equal(feed.serverNow(), noon + 100);
  feed.use(null, false);
  const beat = (at) => feed.handle({ op: "heartbeat", at: new Date(at).toISOString(), source: "live", heads: {} });
  beat(noon + 90);
  assert.equal(feed.serverNow(), noon + 90);
  steady += 1_000;
  beat(noon + 1_100);
  assert.equal(feed.serverNow(), noon + 1_100, "a quicker one is nearer");
  [device, steady] = [device - 36_000_000, steady + 5_000];
  beat(noon + 2_100);
  assert.equal(feed.serverNow(), noon + 6_100, "one that was held up, and a clock that is set, change nothing");
});
