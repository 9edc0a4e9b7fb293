// What tests of the feed run it in: a clock that moves when told, sockets that do nothing by
// themselves, and a server that answers questions about markets of which it knows the tapes.
import { Feed } from "../js/feed.js";

// Clock runs timers when the test says so.
export class Clock {
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
    while (this.runNext(end));
    this.time = end;
  }

  // live lets time pass, and each time what was asked be answered.
  async live(milliseconds) {
    const end = this.time + milliseconds;
    do await settled();
    while (this.runNext(end));
    this.time = end;
    await settled();
  }

  runNext(end) {
    const next = this.timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
    if (!next) return false;
    this.time = Math.max(this.time, next.at);
    if (next.every) next.at += next.every;
    else this.clearTimeout(next);
    next.run();
    return true;
  }

  // sleep is what a machine does with its lid closed: time passes, and nothing runs. Afterwards
  // intervals do not make up for what they missed.
  sleep(milliseconds) {
    this.time += milliseconds;
    for (const t of this.timers) if (t.every) t.at = Math.max(t.at, this.time);
  }
}

// settled waits for promises that wait for nothing else.
export const settled = async () => {
  for (let i = 0; i < 5; i++) await new Promise((go) => setImmediate(go));
};

class Socket {
  sent = [];
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
}

export const event = (seq, changes = {}) => ({
  op: "event",
  market: "rain",
  seq,
  prev: seq - 1,
  cursor: `${seq}.aa`,
  at: "2026-02-03T12:00:00Z",
  kind: "trade",
  ...changes,
});
export const subscribed = (seq, market = "rain") => ({ op: "subscribed", market, seq, cursor: `${seq}.aa` });

// Server answers as the API does. markets: slug → {history, seq}: events 1 to seq of a history.
export class Server {
  markets = {};
  asked = [];
  up = true;

  constructor(clock) {
    this.clock = clock;
  }

  state(slug) {
    const { history, seq } = this.markets[slug];
    return { slug, version: seq, cursor: `${seq}.${history}`, prices: { yes: String(seq) } };
  }

  fetch = async (url, { signal }) => {
    const { pathname, searchParams } = new URL(url);
    this.asked.push(pathname.replace("/api/v1/markets", "") + (searchParams.size ? `?${searchParams}` : ""));
    if (this.hangs) await new Promise((_, fail) => signal.addEventListener("abort", () => fail(new Error("aborted"))));
    if (!this.up) throw new TypeError("fetch failed");
    const [, , , , slug, what] = pathname.split("/");
    const answer = (status, body) =>
      new Response(JSON.stringify(body), { status, headers: { date: new Date(this.clock.time).toUTCString() } });
    if (!slug)
      return answer(200, {
        markets: Object.keys(this.markets)
          .map((s) => this.state(s))
          .slice(0, searchParams.get("limit")),
      });
    const market = this.markets[slug];
    if (!market) return answer(404, { code: "not_found", detail: "no such market" });
    if (!what) {
      if (searchParams.get("min_version") > market.seq) return answer(503, { code: "unavailable" });
      return answer(200, this.state(slug));
    }
    const [after, history] = searchParams.get("after").split(".");
    if (history !== market.history) return answer(410, { code: "cursor_unknown", snapshot: `/api/v1/markets/${slug}` });
    const count = Math.min(searchParams.get("limit"), market.seq - after);
    const events = Array.from({ length: count }, (_, i) =>
      event(Number(after) + i + 1, {
        market: slug,
        cursor: `${Number(after) + i + 1}.${history}`,
        at: new Date(this.clock.time).toISOString(),
      }),
    );
    return answer(200, { market: slug, events, next: events.at(-1)?.cursor ?? searchParams.get("after") });
  };
}

export function setUp({ online = () => true, random = () => 1 } = {}) {
  const clock = new Clock();
  const server = new Server(clock);
  const sockets = [];
  const frames = [];
  const errors = [];
  const t = { clock, server, sockets, frames, errors, status: null, states: [] };
  t.feed = new Feed({
    url: "ws://test/ws",
    clock,
    online,
    random,
    fetch: server.fetch,
    open: () => sockets[sockets.push(new Socket()) - 1],
    onFrame: (f) => frames.push(f),
    onStatus: (s) => {
      t.status = s;
      t.state = [s.state, s.reason];
      if (t.states.at(-1)?.join() !== t.state.join()) t.states.push(t.state);
    },
    onError: (e) => errors.push(e),
  });
  t.last = () => sockets.at(-1);
  t.receive = (...objects) => t.last().onmessage({ data: objects.map((o) => JSON.stringify(o)).join("\n") });
  t.heartbeat = (heads = {}, source = "live", at = clock.time) => ({
    op: "heartbeat",
    at: new Date(at).toISOString(),
    heads,
    source,
  });
  t.beat = (...what) => t.receive(t.heartbeat(...what));
  t.open = () => t.last().onopen?.();
  t.seqs = () => frames.map((f) => f.seq);
  return t;
}

// live is a feed that is at 10 and live.
export function live(options) {
  const t = setUp(options);
  t.feed.subscribe("rain", { cursor: "10.aa" });
  t.feed.start();
  t.open();
  t.receive(subscribed(10));
  t.beat({ rain: 10 });
  return t;
}
