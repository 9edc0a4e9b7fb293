import assert from "node:assert/strict";
import { test } from "node:test";
import { Feed } from "../js/feed.js";

// Clock runs timers when the test says so.
class Clock {
  time = Date.parse("2026-02-03T12:00:00Z");
  timers = [];
  now = () => this.time;
  setTimeout = (run, after) => this.add(run, after);
  setInterval = (run, every) => this.add(run, every, every);
  clearTimeout = (timer) => (this.timers = this.timers.filter((t) => t !== timer));
  clearInterval = this.clearTimeout;

  add(run, after, every) {
    const timer = { run, at: this.time + after, every };
    this.timers.push(timer);
    return timer;
  }

  pass(milliseconds) {
    const end = this.time + milliseconds;
    for (;;) {
      const next = this.timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.time = next.at;
      if (next.every) next.at += next.every;
      else this.clearTimeout(next);
      next.run();
    }
    this.time = end;
  }
}

class Socket {
  sent = [];
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
}

function setUp({ online = () => true } = {}) {
  const clock = new Clock();
  const sockets = [];
  const frames = [];
  const errors = [];
  const t = { clock, sockets, frames, errors, status: null };
  t.feed = new Feed({
    url: "ws://test/ws", clock, online, random: () => 1,
    open: () => sockets[sockets.push(new Socket()) - 1],
    onFrame: (f) => frames.push(f),
    onStatus: (s) => (t.status = s),
    onError: (e) => errors.push(e),
  });
  t.last = () => sockets.at(-1);
  t.receive = (...objects) => t.last().onmessage({ data: objects.map((o) => JSON.stringify(o)).join("\n") });
  t.beat = (heads = {}, source = "live") => t.receive({ op: "heartbeat", at: new Date(clock.time).toISOString(), heads, source });
  t.open = () => t.last().onopen();
  return t;
}

const event = (seq, changes = {}) => ({ op: "event", market: "rain", seq, prev: seq - 1, cursor: `${seq}.aa`, at: "2026-02-03T12:00:00Z", kind: "trade", ...changes });
const subscribed = (seq) => ({ op: "subscribed", market: "rain", seq, cursor: `${seq}.aa` });

// live is a feed that is at 10 and live.
function live() {
  const t = setUp();
  t.feed.subscribe("rain", { seq: 10, cursor: "10.aa" });
  t.feed.start();
  t.open();
  t.receive(subscribed(10));
  t.beat({ rain: 10 });
  return t;
}

test("subscribes where the page's state stands, and is live once that is acknowledged", () => {
  const t = setUp();
  t.feed.subscribe("rain", { seq: 10, cursor: "10.aa" });
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
  assert.deepEqual(t.frames.map((f) => [f.op, f.seq]), [["snapshot", 5], ["event", 6]]);
});

test("several objects in one frame are taken in order, an unreadable line costs only itself", () => {
  const t = live();
  t.last().onmessage({ data: `${JSON.stringify(event(11))}\n{oops\n\n${JSON.stringify(event(12))}\n` });
  assert.deepEqual(t.frames.map((f) => f.seq), [11, 12]);
  assert.equal(t.errors[0].code, "malformed_frame");
});

test("an event that repeats is dropped", () => {
  const t = live();
  t.receive(event(11), event(11), event(10));
  assert.deepEqual(t.frames.map((f) => f.seq), [11]);
});

test("a gap is noticed by prev, asked about once, and closed without a loss", () => {
  const t = live();
  t.last().sent = [];
  t.receive(event(12), event(13));
  assert.deepEqual(t.frames, []);
  assert.deepEqual(t.last().sent, [{ op: "unsubscribe", market: "rain" }, { op: "subscribe", market: "rain", mode: "tape", after: "10.aa" }]);
  assert.equal(t.feed.state(), "catching_up");
  t.receive(event(11), event(12), event(13));
  assert.deepEqual(t.frames.map((f) => f.seq), [11, 12, 13]);
  assert.equal(t.feed.state(), "live");
});

test("after a break it resumes from the last event, not from the page's", () => {
  const t = live();
  t.receive(event(11));
  t.last().onclose({ code: 1006 });
  assert.equal(t.status.state, "reconnecting");
  t.clock.pass(250);
  assert.equal(t.sockets.length, 2);
  t.open();
  assert.deepEqual(t.last().sent, [{ op: "subscribe", market: "rain", mode: "tape", after: "11.aa" }]);
  t.receive(event(12));
  t.beat({ rain: 12 });
  assert.deepEqual(t.frames.map((f) => f.seq), [11, 12]);
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
  assert.equal(t.feed.socket, t.last());
});

test("pauses grow, are jittered, and start anew once the server speaks", () => {
  const t = live();
  const pauses = [];
  for (let i = 0; i < 8; i++) {
    const count = t.sockets.length;
    t.last().onclose({ code: 1006 });
    const from = t.clock.time;
    while (t.sockets.length === count) t.clock.pass(50);
    pauses.push(t.clock.time - from);
  }
  assert.deepEqual(pauses, [250, 500, 1000, 2000, 4000, 8000, 10000, 10000]);
  t.feed.random = () => 0;
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
  assert.deepEqual([t.status.state, t.status.age], ["stale", 3000]);
  t.beat({ rain: 10 });
  assert.deepEqual([t.status.state, t.status.age], ["live", 0]);
});

test("events do not hide missing heartbeats", () => {
  const t = live();
  for (let seq = 11; seq < 17; seq++) {
    t.clock.pass(500);
    t.receive(event(seq));
  }
  assert.equal(t.status.state, "stale");
});

test("a socket that stays silent is given up", () => {
  const t = live();
  const old = t.last();
  t.clock.pass(10_500);
  assert.ok(old.closed);
  assert.deepEqual([t.status.state, t.sockets.length], ["reconnecting", 1]);
  t.clock.pass(250);
  assert.equal(t.sockets.length, 2);
});

test("a node that lost its tape is stale, one that catches up is not live yet", () => {
  const t = live();
  t.beat({ rain: 10 }, "catching_up");
  assert.equal(t.status.state, "catching_up");
  t.beat({ rain: 10 }, "lost");
  assert.equal(t.status.state, "stale");
});

test("a head that stays ahead for two heartbeats means a loss, and asks again", () => {
  const t = live();
  t.last().sent = [];
  t.beat({ rain: 12 });
  assert.deepEqual([t.status.state, t.last().sent.length], ["catching_up", 0]);
  t.clock.pass(1000);
  t.beat({ rain: 12 });
  assert.deepEqual(t.last().sent.map((m) => m.op), ["unsubscribe", "subscribe"]);
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

test("without a network it is offline, and wakes with it", () => {
  let online = true;
  const t = setUp({ online: () => online });
  t.feed.start();
  t.open();
  t.beat();
  online = false;
  t.last().onclose({ code: 1006 });
  assert.equal(t.status.state, "offline");
  t.clock.pass(60_000);
  assert.equal(t.sockets.length, 1);
  online = true;
  t.feed.wake();
  assert.equal(t.sockets.length, 2);
});

test("who is not permitted does not try again", () => {
  const t = live();
  t.last().onclose({ code: 4003 });
  t.clock.pass(60_000);
  t.feed.wake();
  assert.deepEqual([t.status.state, t.sockets.length], ["offline", 1]);
});

test("a market that does not exist is forgotten, the others go on", () => {
  const t = live();
  t.feed.subscribe("nothing");
  t.receive({ op: "error", code: "not_found", message: "no such market", market: "nothing" });
  t.beat({ rain: 10 });
  assert.equal(t.status.state, "live");
  assert.equal(t.errors.length, 1);
});

test("quotes may skip, never go back", () => {
  const t = setUp();
  t.feed.subscribe("rain", { mode: "quote" });
  t.feed.start();
  t.open();
  const quote = (seq) => ({ op: "quote", market: "rain", seq, prices: {} });
  t.receive({ op: "snapshot", market: "rain", seq: 5, cursor: "5.aa", state: {} }, quote(9), quote(7), quote(12));
  assert.deepEqual(t.frames.map((f) => f.seq), [5, 9, 12]);
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
