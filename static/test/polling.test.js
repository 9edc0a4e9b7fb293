import assert from "node:assert/strict";
import { test } from "node:test";
import { setUp, subscribed } from "./harness.js";

// blocked is a feed whose sockets are refused, on a server that answers questions.
async function blocked(markets, { follow = Object.keys(markets), options = {}, random } = {}) {
  const t = setUp({ random });
  t.server.markets = markets;
  for (const slug of follow)
    t.feed.subscribe(slug, { cursor: `10.${markets[slug]?.history ?? "aa"}`, ...options[slug] });
  t.feed.start();
  t.refuse = () => t.last().onclose({ code: 1006 });
  t.refuse();
  await t.clock.live(300);
  t.refuse();
  await t.clock.live(600);
  return t;
}

const rain = (seq = 10) => ({ rain: { history: "aa", seq } });

test("after two sockets without a word it polls, and is live", async () => {
  const t = await blocked(rain());
  assert.deepEqual([...t.state, t.sockets.length], ["live", "polling", 2]);
  assert.deepEqual(t.server.asked, ["/rain/tape?after=10.aa&limit=1000"]);
  t.server.markets.rain.seq = 12;
  await t.clock.live(1_100);
  assert.deepEqual(t.seqs(), [11, 12]);
  assert.equal(t.status.state, "live");
});

test("a socket that opens and then says nothing is blocked, too", async () => {
  const t = setUp();
  t.server.markets = rain();
  t.feed.subscribe("rain", { cursor: "10.aa" });
  t.feed.start();
  t.open();
  await t.clock.live(6_000);
  assert.deepEqual([...t.state, t.sockets[0].closed], ["live", "polling", true]);
});

test("a socket that is never answered is not waited for", async () => {
  const t = setUp();
  t.server.markets = rain();
  t.feed.subscribe("rain", { cursor: "10.aa" });
  t.feed.start();
  await t.clock.live(6_000);
  assert.deepEqual(t.state, ["live", "polling"]);
});

const without = () => {
  throw new ReferenceError("WebSocket is not defined");
};

test("where there are no sockets at all it polls, and says so once", async () => {
  const t = setUp();
  t.server.markets = rain();
  t.feed.open = without;
  t.feed.subscribe("rain", { cursor: "10.aa" });
  t.feed.start();
  assert.deepEqual(
    t.errors.map((e) => e.code),
    ["no_websocket"],
  );
  assert.match(t.errors[0].message, /it polls.*open.*Node before 22/);
  await t.clock.live(60_000);
  assert.deepEqual([...t.state, t.errors.length], ["live", "polling", 1]);
});

test("a server that does not answer is not polled for long: sockets have their turn", async () => {
  const t = setUp();
  t.server.up = false;
  t.feed.subscribe("rain", { cursor: "10.aa" });
  t.feed.start();
  for (let i = 0; i < 20; i++) {
    if (t.last().onclose && !t.last().refused) (t.last().refused = true), t.last().onclose({ code: 1006 });
    await t.clock.live(1_000);
    assert.notEqual(t.status.state, "live");
  }
  assert.ok(t.sockets.length > 2);
  assert.ok(t.server.asked.length > 1);
  assert.deepEqual(t.state, ["stale", "reconnecting"]);
});

test("it tries a socket now and then, ever more seldom, and goes back to one that speaks", async () => {
  const t = await blocked(rain());
  const tries = [];
  for (let second = 1; second <= 120; second++) {
    const count = t.sockets.length;
    await t.clock.live(1_000);
    if (t.sockets.length > count) {
      tries.push(second);
      t.refuse();
    }
  }
  assert.ok(tries.length >= 5 && tries.length <= 8, `tries at ${tries} s`);
  assert.ok(tries.at(-1) - tries.at(-2) >= 29);
  assert.deepEqual(t.states.slice(-1), [["live", "polling"]]);

  t.feed.wake(); // somebody looks
  t.open();
  t.server.markets.rain.seq = 11;
  await t.clock.live(1_100);
  assert.deepEqual([...t.state, t.seqs()], ["live", "polling", [11]], "the polling goes on meanwhile");
  t.beat();
  assert.deepEqual(t.last().sent, [{ op: "subscribe", market: "rain", mode: "tape", after: "11.aa" }]);
  t.receive(subscribed(11));
  t.beat({ rain: 11 });
  assert.deepEqual(t.state, ["live", null]);
  const asked = t.server.asked.length;
  t.server.markets.rain.seq = 12;
  await t.clock.live(2_000);
  assert.deepEqual([t.server.asked.length, t.seqs()], [asked, [11]]);
});

test("an answer that hangs is silence, and ends with polling given up", async () => {
  const t = await blocked(rain());
  t.server.hangs = true;
  await t.clock.live(4_000);
  assert.deepEqual(t.state, ["stale", "silent"]);
  t.server.hangs = false;
  t.server.markets.rain.seq = 11;
  for (let i = 0; i < 30; i++) {
    await t.clock.live(1_000);
    if (!t.last().closed && !t.last().refused) (t.last().refused = true), t.refuse();
  }
  assert.deepEqual([...t.state, t.seqs()], ["live", "polling", [11]]);
});

test("an error costs a pause that grows, and no event", async () => {
  const t = await blocked(rain());
  t.server.up = false;
  const asked = t.server.asked.length;
  await t.clock.live(10_000);
  assert.ok(t.server.asked.length - asked < 6, `${t.server.asked.length - asked} questions in 10 s`);
  t.server.up = true;
  t.server.markets.rain.seq = 13;
  for (let i = 0; i < 12; i++) {
    await t.clock.live(1_000);
    if (!t.last().closed && !t.last().refused) (t.last().refused = true), t.refuse();
  }
  assert.deepEqual([...t.state, t.seqs()], ["live", "polling", [11, 12, 13]]);
});

test("a long way is gone page by page, a longer one with a snapshot", async () => {
  const t = await blocked(rain(3_500));
  assert.deepEqual([t.frames.length, t.seqs().every((seq, i) => seq === 11 + i)], [3_490, true]);
  const far = await blocked(rain(20_000));
  assert.equal(far.frames.at(-1).op, "snapshot");
  assert.deepEqual([far.frames.at(-1).seq, ...far.state], [20_000, "live", "polling"]);
});

test("a cursor of another history starts over from a snapshot", async () => {
  const t = await blocked(rain());
  t.server.markets.rain = { history: "bb", seq: 8 };
  await t.clock.live(1_100);
  t.server.markets.rain.seq = 9;
  await t.clock.live(1_100);
  assert.deepEqual(
    t.frames.map((f) => [f.op, f.seq, f.cursor]),
    [
      ["snapshot", 8, "8.bb"],
      ["event", 9, "9.bb"],
    ],
  );
  assert.equal(t.status.state, "live");
});

test("without a cursor it begins with a snapshot; quotes bring prices only and may skip", async () => {
  const t = await blocked(
    { ...rain(), wind: { history: "cc", seq: 3 } },
    { options: { rain: { cursor: null }, wind: { cursor: null, mode: "quote" } } },
  );
  t.server.markets.rain.seq = 12;
  t.server.markets.wind.seq = 7;
  await t.clock.live(1_100);
  const of = (slug) => t.frames.filter((f) => f.market === slug).map((f) => [f.op, f.seq]);
  assert.deepEqual(of("rain"), [
    ["snapshot", 10],
    ["event", 11],
    ["event", 12],
  ]);
  assert.deepEqual(of("wind"), [
    ["snapshot", 3],
    ["quote", 7],
  ]);
});

test("a market that does not exist is forgotten, the others go on", async () => {
  const t = await blocked(rain(11), { follow: ["rain", "nothing"] });
  assert.deepEqual([t.errors.map((e) => [e.code, e.market]), t.seqs()], [[["not_found", "nothing"]], [11]]);
  assert.equal(t.status.state, "live");
});

test("of many markets only those that have changed are asked", async () => {
  const markets = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`m${i}`, { history: "aa", seq: 10 }]));
  const t = await blocked(markets);
  assert.deepEqual([...t.state, t.server.asked], ["live", "polling", ["?limit=60"]]);
  markets.m7.seq = 12;
  markets.m31.seq = 11;
  t.server.asked.length = 0;
  await t.clock.live(1_100);
  assert.deepEqual(t.server.asked.sort(), [
    "/m31/tape?after=10.aa&limit=1000",
    "/m7/tape?after=10.aa&limit=1000",
    "?limit=60",
  ]);
  assert.equal(t.frames.length, 3);
});

test("what is followed later is asked at once, what is not any more never", async () => {
  const t = await blocked({ ...rain(), wind: { history: "cc", seq: 3 } }, { follow: ["rain"] });
  t.feed.subscribe("wind", { cursor: "2.cc" });
  await t.clock.live(10);
  assert.deepEqual(t.seqs(), [3]);
  t.feed.unsubscribe("rain");
  t.server.markets.rain.seq = 11;
  t.server.asked.length = 0;
  await t.clock.live(1_100);
  assert.deepEqual(t.server.asked, ["/wind/tape?after=3.cc&limit=1000"]);
});

test("stopped is stopped, also while a question is under way", async () => {
  const t = await blocked(rain());
  t.server.hangs = true;
  await t.clock.live(1_100);
  t.feed.stop();
  await t.clock.live(60_000);
  const asked = t.server.asked.length;
  await t.clock.live(60_000);
  assert.deepEqual([t.server.asked.length, t.clock.timers.length], [asked, 0]);
});
