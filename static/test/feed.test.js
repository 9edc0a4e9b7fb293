import assert from "node:assert/strict";
import { test } from "node:test";
import { event, live, setUp, subscribed } from "./harness.js";

test("subscribes where the page's state stands, and is live once that is acknowledged", () => {
  const t = setUp();
  t.feed.subscribe("rain", { cursor: "10.aa" });
  t.feed.start();
  assert.equal(t.status.state, "catching_up");
  t.open();
  assert.deepEqual(t.last().sent, [{ op: "subscribe", market: "rain", mode: "tape", after: "10.aa" }]);
  assert.equal(t.status.state, "catching_up");
  t.receive(subscribed(10));
  t.beat({ rain: 10 });
  assert.equal(t.status.state, "live");
  assert.equal(t.status.age, 0);
});

test("without a cursor it begins with a snapshot, and ignores what comes before", () => {
  const t = setUp();
  t.feed.subscribe("rain");
  t.feed.start();
  t.open();
  assert.deepEqual(t.last().sent, [{ op: "subscribe", market: "rain", mode: "tape" }]);
  t.receive(event(4));
  t.receive({ op: "snapshot", market: "rain", seq: 5, cursor: "5.aa", state: {} });
  t.receive(event(6));
  assert.deepEqual(
    t.frames.map((f) => [f.op, f.seq]),
    [
      ["snapshot", 5],
      ["event", 6],
    ],
  );
});

test("several objects in one frame are taken in order, an unreadable line costs only itself", () => {
  const t = live();
  t.last().onmessage({ data: `${JSON.stringify(event(11))}\n{oops\n\n${JSON.stringify(event(12))}\n` });
  assert.deepEqual(
    t.frames.map((f) => f.seq),
    [11, 12],
  );
  assert.equal(t.errors[0].code, "malformed_frame");
});

test("an event that repeats is dropped", () => {
  const t = live();
  t.receive(event(11), event(11), event(10));
  assert.deepEqual(
    t.frames.map((f) => f.seq),
    [11],
  );
});

test("a gap is noticed by prev, asked about once, and closed without a loss", () => {
  const t = live();
  t.last().sent = [];
  t.receive(event(12), event(13));
  assert.deepEqual(t.frames, []);
  assert.deepEqual(t.last().sent, [
    { op: "unsubscribe", market: "rain" },
    { op: "subscribe", market: "rain", mode: "tape", after: "10.aa" },
  ]);
  assert.equal(t.feed.state().state, "catching_up");
  t.receive(event(11), event(12), event(13));
  assert.deepEqual(
    t.frames.map((f) => f.seq),
    [11, 12, 13],
  );
  assert.equal(t.feed.state().state, "live");
});

test("after a break it resumes from the last event, not from the page's", () => {
  const t = live();
  t.receive(event(11));
  t.last().onclose({ code: 1006 });
  assert.deepEqual(t.state, ["stale", "reconnecting"]);
  t.clock.pass(250);
  assert.equal(t.sockets.length, 2);
  t.open();
  assert.deepEqual(t.last().sent, [{ op: "subscribe", market: "rain", mode: "tape", after: "11.aa" }]);
  t.receive(event(12));
  t.beat({ rain: 12 });
  assert.deepEqual(
    t.frames.map((f) => f.seq),
    [11, 12],
  );
  assert.equal(t.status.state, "live");
});

test("what a dead socket still says is not heard", () => {
  const t = live();
  const old = t.last();
  old.onclose({ code: 1006 });
  t.clock.pass(250);
  t.open();
  old.onmessage({ data: JSON.stringify(event(11)) });
  old.onclose({ code: 1006 });
  assert.deepEqual(t.frames, []);
  assert.equal(t.feed.transport, t.last());
});

test("pauses grow, are jittered, and start anew once the server speaks", async () => {
  const t = live();
  t.server.up = false;
  const pauses = [];
  const connect = t.feed.connect.bind(t.feed);
  let from;
  t.feed.connect = () => {
    pauses.push(t.clock.time - from);
    connect();
  };
  for (let i = 0; i < 8; i++) {
    from = t.clock.time;
    if (!t.feed.polling) t.last().onclose({ code: 1006 });
    while (pauses.length === i) await t.clock.live(50);
  }
  assert.deepEqual(pauses, [250, 500, 1000, 2000, 4000, 8000, 10000, 10000]);
  t.feed.random = () => 0;
  t.feed.wake();
  t.open();
  t.beat();
  t.last().onclose({ code: 1012 });
  const count = t.sockets.length;
  t.clock.pass(125);
  assert.equal(t.sockets.length, count + 1);
});

test("a silent socket is stale, with its age, and live again with the next heartbeat", () => {
  const t = live();
  t.clock.pass(2400);
  assert.equal(t.status.state, "live");
  t.clock.pass(600);
  assert.deepEqual([...t.state, t.status.age], ["stale", "silent", 3000]);
  t.beat({ rain: 10 });
  assert.deepEqual([...t.state, t.status.age], ["live", null, 0]);
});

test("events do not hide missing heartbeats", () => {
  const t = live();
  for (let seq = 11; seq < 17; seq++) {
    t.clock.pass(500);
    t.receive(event(seq));
  }
  assert.equal(t.status.state, "stale");
});

test("beside a silent socket another is opened, and the first that speaks is the one", () => {
  const t = live();
  const old = t.last();
  t.clock.pass(4_000);
  assert.equal(t.sockets.length, 2);
  old.onmessage({ data: JSON.stringify(t.heartbeat({ rain: 10 })) });
  assert.ok(t.last().closed, "the old one has spoken");
  assert.deepEqual([t.feed.transport, t.status.state], [old, "live"]);

  t.clock.pass(4_000);
  assert.equal(t.sockets.length, 3);
  t.open();
  assert.equal(t.status.state, "stale", "opening proves nothing");
  t.beat();
  assert.ok(old.closed);
  assert.deepEqual(t.last().sent, [{ op: "subscribe", market: "rain", mode: "tape", after: "10.aa" }]);
  old.onmessage({ data: JSON.stringify(event(11)) });
  t.receive(event(11));
  t.beat({ rain: 11 });
  assert.deepEqual([t.seqs(), t.status.state], [[11], "live"]);
});

test("a socket that stays silent is given up in the end", () => {
  const t = live();
  const old = t.last();
  t.clock.pass(16_000);
  assert.ok(old.closed);
  assert.deepEqual(t.state, ["stale", "reconnecting"]);
  t.clock.pass(250);
  assert.ok(!t.last().closed);
});

test("a node that lost its tape is stale, one that catches up is not live yet", () => {
  const t = live();
  t.beat({ rain: 10 }, "catching_up");
  assert.deepEqual(t.state, ["catching_up", "source_behind"]);
  t.clock.pass(1_000);
  t.beat({ rain: 10 }, "lost");
  assert.deepEqual([...t.state, t.status.age], ["stale", "source_lost", 1_000]);
});

test("a heartbeat that was held up is as old as it is, and proves nothing", () => {
  const t = live();
  t.clock.pass(3_000);
  t.beat({ rain: 10 }, "live", t.clock.time - 2_800);
  assert.deepEqual(t.state, ["stale", "silent"]);
  t.beat({ rain: 10 }, "live", t.clock.time - 2_000);
  assert.deepEqual([t.status.state, t.status.age], ["live", 2_000]);
});

test("a clock that is set right, here or there, costs a new socket and no more", () => {
  for (const step of [3_600_000, -3_600_000]) {
    const t = live();
    const server = () => t.clock.time - step;
    t.clock.sleep(step);
    t.clock.pass(500);
    t.beat({ rain: 10 }, "live", server());
    for (let i = 0; i < 5; i++) {
      t.clock.pass(1_000);
      if (t.sockets.length > 1) t.open();
      t.beat({ rain: 10 }, "live", server());
      if (t.sockets.length > 1) t.receive(subscribed(10));
    }
    assert.equal(t.status.state, "live", `a step of ${step}`);
    assert.ok(t.sockets.length <= 2);
  }
});

test("after a sleep the socket is not believed: stale at once, another one asked", () => {
  const t = live();
  const old = t.last();
  t.clock.sleep(3_600_000);
  // What lay in the buffers when the lid was closed comes first.
  t.beat({ rain: 10 }, "live", t.clock.time - 3_600_000);
  assert.deepEqual(t.state, ["stale", "silent"]);
  assert.equal(t.status.age, 3_600_000);
  t.feed.wake();
  assert.equal(t.sockets.length, 2);
  t.clock.pass(600);
  assert.equal(t.sockets.length, 2, "which has time to answer");
  t.open();
  t.beat();
  t.receive(event(11), event(12));
  t.beat({ rain: 12 });
  assert.ok(old.closed);
  assert.deepEqual([t.seqs(), t.status.state], [[11, 12], "live"]);
});

test("without a sign of waking, the first tick notices the sleep", () => {
  const t = live();
  t.clock.sleep(60_000);
  t.clock.pass(500);
  assert.equal(t.status.state, "stale");
  t.clock.pass(1_000);
  assert.equal(t.sockets.length, 2);
});

test("somebody looking again disturbs nothing that is well", () => {
  const t = live();
  for (let i = 0; i < 5; i++) t.feed.wake();
  assert.deepEqual([t.sockets.length, t.status.state], [1, "live"]);
});

test("a head that stays ahead for two heartbeats means a loss, and asks again", () => {
  const t = live();
  t.last().sent = [];
  t.beat({ rain: 12 });
  assert.deepEqual([t.status.state, t.last().sent.length], ["catching_up", 0]);
  t.clock.pass(1000);
  t.beat({ rain: 12 });
  assert.deepEqual(
    t.last().sent.map((m) => m.op),
    ["unsubscribe", "subscribe"],
  );
  t.receive(event(11), event(12));
  t.beat({ rain: 12 });
  assert.equal(t.status.state, "live");
});

test("lag is the time from commit, corrected for clocks that differ", () => {
  const t = live();
  t.receive(event(11, { at: new Date(t.clock.time - 12).toISOString() }));
  t.beat({ rain: 11 });
  assert.equal(t.status.lag, 0);
  t.receive(event(12, { at: new Date(t.clock.time - 40).toISOString() }), subscribed(12));
  assert.equal(t.status.lag, 40);

  const ahead = setUp();
  ahead.feed.start();
  ahead.open();
  const serverTime = (delay) => new Date(ahead.clock.time - 60_000 - delay).toISOString();
  ahead.receive({ op: "heartbeat", at: serverTime(5), heads: {}, source: "live" });
  ahead.receive({ op: "heartbeat", at: serverTime(25), heads: {}, source: "live" });
  assert.equal(ahead.status.lag, 20);
  assert.equal(ahead.feed.serverNow(), ahead.clock.time - 60_005);
});

test("without a network it is offline, tries seldom, and wakes with it", () => {
  let online = true;
  const t = setUp({ online: () => online });
  t.feed.start();
  t.open();
  t.beat();
  online = false;
  t.feed.doubt();
  assert.deepEqual(t.state, ["stale", "offline"]);
  t.last().onclose({ code: 1006 });
  t.clock.pass(5_000);
  assert.deepEqual(t.state, ["stale", "offline"]);
  online = true;
  const before = t.sockets.length;
  t.feed.wake();
  t.feed.wake();
  assert.equal(t.sockets.length, before + 1);
});

test("a browser that calls itself offline is believed until a heartbeat says otherwise", () => {
  const t = setUp({ online: () => false });
  t.feed.start();
  assert.equal(t.sockets.length, 1, "this machine may be the server");
  t.open();
  t.beat();
  assert.equal(t.status.state, "live");
  t.feed.doubt();
  assert.deepEqual(t.state, ["stale", "offline"]);
  t.beat();
  assert.equal(t.status.state, "live");
});

test("who is not permitted does not try again", () => {
  const t = live();
  t.last().onclose({ code: 4003 });
  t.clock.pass(60_000);
  t.feed.wake();
  assert.deepEqual([...t.state, t.status.age, t.sockets.length], ["stale", "refused", 60_000, 1]);
});

test("a first connection that takes long is no catching up", () => {
  const t = setUp();
  t.feed.start();
  assert.deepEqual(t.state, ["catching_up", "connecting"]);
  t.clock.pass(3_000);
  assert.deepEqual([...t.state, t.status.age], ["stale", "reconnecting", 3_000]);
});

test("what one has made is reached: with the feed if it is quick, else by asking", async () => {
  const t = live();
  t.server.markets.rain = { history: "aa", seq: 13 };
  const quick = t.feed.reach("rain", 11);
  t.receive(event(11));
  await t.clock.live(20);
  assert.equal(await quick, true);
  assert.deepEqual(t.server.asked, []);

  const slow = t.feed.reach("rain", 13);
  await t.clock.live(600);
  assert.equal(await slow, true);
  assert.deepEqual(t.server.asked, ["/rain/tape?after=11.aa&limit=1000"]);
  assert.deepEqual(t.seqs(), [11, 12, 13]);
  t.receive(event(12), event(13), event(14));
  assert.deepEqual(t.seqs(), [11, 12, 13, 14], "what the socket brings late is known");
  t.beat({ rain: 14 });
  assert.equal(t.status.state, "live");
});

test("what was reached by asking is not handed over again by a subscription that was under way", async () => {
  const t = live();
  t.last().onclose({ code: 1006 });
  t.clock.pass(250);
  t.open();
  t.server.markets.rain = { history: "aa", seq: 12 };
  assert.equal(await t.feed.reach("rain", 12), true);
  t.receive(subscribed(10), event(11), event(12), event(13));
  t.beat({ rain: 13 });
  assert.deepEqual([t.seqs(), t.status.state], [[11, 12, 13], "live"]);
});

test("who is not live asks at once; too far behind, or with prices only, for the state", async () => {
  const t = live();
  t.clock.pass(3_000);
  t.server.markets.rain = { history: "aa", seq: 12 };
  assert.equal(await t.feed.reach("rain", 12), true);
  assert.deepEqual(t.seqs(), [11, 12]);
  assert.equal(t.status.state, "stale", "an answer is no heartbeat");
  assert.equal(await t.feed.reach("rain", 13), false, "nobody has that");

  t.server.markets.rain.seq = 5_000;
  t.server.asked.length = 0;
  assert.equal(await t.feed.reach("rain", 5_000), true);
  assert.deepEqual(t.server.asked, ["/rain/tape?after=12.aa&limit=1000", "/rain?min_version=5000"]);
  assert.deepEqual(
    t.frames.slice(-2).map((f) => [f.op, f.seq]),
    [
      ["event", 1_012],
      ["snapshot", 5_000],
    ],
  );
});

test("quotes may skip, never go back", () => {
  const t = setUp();
  t.feed.subscribe("rain", { mode: "quote" });
  t.feed.start();
  t.open();
  const quote = (seq) => ({ op: "quote", market: "rain", seq, prices: {} });
  t.receive({ op: "snapshot", market: "rain", seq: 5, cursor: "5.aa", state: {} }, quote(9), quote(7), quote(12));
  assert.deepEqual(
    t.frames.map((f) => f.seq),
    [5, 9, 12],
  );
});

test("unsubscribing says so, and later frames are ignored", () => {
  const t = live();
  t.feed.unsubscribe("rain");
  assert.deepEqual(t.last().sent.at(-1), { op: "unsubscribe", market: "rain" });
  t.receive(event(11));
  assert.deepEqual(t.frames, []);
});

test("stopped is stopped", () => {
  const t = live();
  t.feed.stop();
  assert.ok(t.last().closed);
  t.clock.pass(60_000);
  assert.equal(t.sockets.length, 1);
});
