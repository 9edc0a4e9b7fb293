// The live client: one connection, any number of markets, no event lost and none twice. It is one file
// that needs no other, so that it can be taken along, and runs in browsers and in Node from 18 on (as
// feed.mjs). Before 22 Node has no WebSocket of its own: onError says so, once, and the feed polls.
//
//   const feed = new Feed({
//     url: "wss://example.org/ws",
//     onFrame: (frame) => {}, // snapshot, event or quote, each new and in order
//     onStatus: ({ state, reason, lag, age }) => {}, // lag: commit to here, in ms
//   });
//   feed.subscribe("rain", { cursor: "812.9f3a2c1b04d7e6aa" }); // or without: from a snapshot
//   feed.start();
//
//   state        reason
//   live         null, or polling
//   catching_up  connecting (for the first time), behind, source_behind (the node's tape reader is)
//   stale        reconnecting, offline, silent (no heartbeat), source_lost, refused (for good);
//                age is how long ago, in ms, all was known to be current
//
// After a break each market resumes from its cursor. Each event must follow the one before (prev),
// else the feed asks again. A heartbeat is due each second; one that was held up, or slept through,
// proves nothing. Where WebSockets are blocked it polls, and tries a socket now and then.

const SILENCE = 2_500; // a heartbeat is late after this
const GIVE_UP = 10_000; // and its connection dead after this
const FIRST_FRAME = 5_000; // to open, and again to say something
const BLOCKED = 2; // sockets in a row without a word, then it polls
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 10_000;
const FIRST_CHALLENGE = 1_000;
const LAST_CHALLENGE = 30_000;
const TICK = 500;
const CLOCKS_AGREE = 250; // a difference below this is delay, above it the clocks differ
const SOON = 500;
const GLANCE = 20;
const NOT_PERMITTED = 4003;
const NOT_NOW = new Set(["too_many_requests", "unavailable", "internal"]); // a market is asked for again

// Of polling.
const RHYTHM = 1_000; // from the beginning of a round to that of the next
const LEAST_PAUSE = 250;
const FEW = 4; // are asked one by one
const AT_ONCE = 4;
const MORE = 10; // of the list than are followed: others change too
const LONGEST_LIST = 200;
const PAGE = 1_000;
const PAGES = 5; // behind by more, a snapshot is quicker

export class Feed {
  // url is the socket's, api where to poll. open makes what has the methods and callbacks of a
  // WebSocket.
  constructor({
    url,
    api,
    open = (u) => new WebSocket(u),
    fetch = call("fetch"),
    clock = globalClock,
    random = Math.random,
    online = () => globalThis.navigator?.onLine !== false,
    onFrame = () => {},
    onStatus = () => {},
    onError = warn,
  }) {
    Object.assign(this, { url, open, fetch, clock, random, online, onFrame, onStatus, onError });
    this.api = api ?? String(new URL("/api/v1/", url)).replace(/^ws/, "http");
    this.subscriptions = new Map(); // market → {mode, seq, cursor, acknowledged, head}
    this.rival = null; // a socket that may take the transport's place
    this.transport = this.lag = null;
    this.ahead = null; // the server's clock minus the steady one, at the quickest heartbeat; null: not known
    this.skew = null; // this clock minus the server's, at the quickest heartbeat of this connection
    this.attempts = 0;
    this.silent = 0; // sockets in a row that never spoke
    this.source = "live";
    this.doubted = false; // until a fresh heartbeat
    this.calm();
  }

  // start connects, and watches for signs that the network or the reader has come back.
  start() {
    this.ending = new AbortController();
    const on = (name, act) => globalThis.addEventListener?.(name, act, { capture: true, signal: this.ending.signal });
    for (const name of ["online", "pageshow", "resume", "visibilitychange"]) on(name, () => this.wake());
    on("offline", () => this.doubt());
    this.currentAt = this.beatAt = this.startedAt = this.clock.now();
    this.ticking = this.clock.setInterval(() => this.tick(), TICK);
    this.connect();
  }

  stop() {
    this.ending?.abort();
    this.clock.clearInterval(this.ticking);
    this.ticking = null;
    this.clock.clearTimeout(this.retry);
    this.drop();
  }

  // subscribe follows a market from a point already known, or from a snapshot.
  subscribe(market, { cursor = null, seq = cursor && parseInt(cursor, 10), mode = "tape" } = {}) {
    const known = this.subscriptions.get(market);
    if (known?.mode === mode) return;
    this.subscriptions.set(market, {
      mode,
      seq: known?.seq ?? seq,
      cursor: known?.cursor ?? cursor,
      acknowledged: false,
      head: null,
    });
    this.ask(market);
  }

  unsubscribe(market) {
    if (this.subscriptions.delete(market)) this.send({ op: "unsubscribe", market });
  }

  // reach resolves when all up to a version of a followed market has been handed over: soon by
  // itself, else by asking the tape, which has it as soon as there is a receipt. False if not.
  async reach(market, version) {
    const sub = this.subscriptions.get(market);
    const has = () => sub?.seq >= version;
    const { state, reason } = this.state();
    const until = state === "live" && !reason ? this.clock.now() + SOON : 0;
    while (!has() && this.clock.now() < until) await new Promise((go) => this.clock.setTimeout(go, GLANCE));
    const where = path(market);
    const ask = async (question) =>
      !has() && (await get(this.fetch, new URL(question, this.api), AbortSignal.timeout(GIVE_UP))).body;
    try {
      if (sub?.mode === "tape" && sub.cursor)
        this.replay(
          (await ask(`${where}/tape?${new URLSearchParams({ after: sub.cursor, limit: 1_000 })}`)).events,
          sub,
        );
      this.jump(await ask(`${where}?min_version=${version}`), sub);
    } catch {
      // The feed may have been faster.
    }
    return has();
  }

  // wake looks at once whether all is well: the network is back, or somebody is looking again.
  wake() {
    if (this.refused || !this.ticking) return;
    if (this.transport && this.spoke) {
      if (this.polling || !this.isFresh()) this.challenge(true);
    } else if (!this.transport || this.clock.now() - this.since > FIRST_PAUSE) {
      this.drop();
      this.connect();
    }
    this.report();
  }

  // doubt takes nothing for current until a heartbeat says so.
  doubt() {
    this.doubted = true;
    this.report();
  }

  // serverNow is the server's time as well as it is known, in epoch milliseconds. Where this clock is set
  // to something else meanwhile, it goes on.
  serverNow() {
    return this.ahead === null ? this.clock.now() : this.steady() + this.ahead;
  }

  // hear takes what the server's clock said at a time of the steady one. What took long on its way is late.
  hear(at, since = this.steady()) {
    if (!this.heard || at - since > this.ahead) this.ahead = at - since;
    this.heard = true;
  }

  steady() {
    return (this.clock.steady ?? this.clock.now)();
  }

  // --- connections --------------------------------------------------------------------

  connect() {
    this.clock.clearTimeout(this.retry);
    const polling = this.silent >= BLOCKED;
    try {
      this.use(this.wire(polling ? new Polling(this) : this.open(this.url)), polling);
    } catch {
      if (this.silent < BLOCKED)
        this.onError({
          op: "error",
          code: "no_websocket",
          message: "there is no WebSocket here, so it polls: give one with open (Node before 22 has none of its own)",
        });
      this.silent = BLOCKED;
      this.again();
    }
    this.report();
  }

  // wire hears a connection out only while it is the one, or a rival that becomes it by speaking.
  wire(c) {
    c.onopen = () => c === this.transport && this.opened();
    c.onmessage = ({ data }) => {
      if (c === this.rival) this.prefer(c);
      if (c === this.transport) this.receive(data);
    };
    c.onclose = (event) => {
      if (c === this.rival) this.rival = null;
      if (c === this.transport) this.lose(event?.code);
    };
    c.onerror = () => {}; // a close follows
    return c;
  }

  use(transport, polling) {
    Object.assign(this, {
      transport,
      polling,
      isOpen: false,
      spoke: false,
      since: this.clock.now(),
      lag: null,
      skew: null,
      heard: false,
    });
  }

  prefer(rival) {
    this.rival = null;
    this.drop();
    this.silent = 0;
    this.use(rival, false);
    this.opened();
  }

  opened() {
    this.isOpen = true;
    this.since = this.clock.now();
    for (const [market, sub] of this.subscriptions) {
      sub.acknowledged = false;
      this.ask(market);
    }
    this.report();
  }

  // lose gives a connection up and counts what it was: a socket that never spoke may be blocked, all
  // the more one that nobody even closed; polling that was not answered clears sockets.
  lose(code) {
    if (this.polling) this.silent = this.spoke ? BLOCKED : BLOCKED - 1;
    else if (this.spoke) this.silent = 0;
    else this.silent += code === undefined ? BLOCKED : 1;
    this.drop();
    this.refused = code === NOT_PERMITTED;
    if (!this.refused) this.again();
    this.report();
  }

  again() {
    const pause = Math.min(FIRST_PAUSE * 2 ** this.attempts, LONGEST_PAUSE) * (0.5 + this.random() / 2);
    this.attempts = Math.min(this.attempts + 1, 10);
    this.retry = this.clock.setTimeout(() => this.connect(), pause);
  }

  // challenge opens a second socket beside a connection that polls, or has gone quiet. The first
  // that speaks is the one.
  challenge(atOnce = false) {
    const later = () => this.clock.now() + this.pause * (0.5 + this.random() / 2);
    this.challengeAt ??= later();
    if (!atOnce && (this.rival || this.clock.now() < this.challengeAt)) return;
    this.pause = Math.min(2 * this.pause, LAST_CHALLENGE);
    this.challengeAt = later();
    this.dismiss();
    this.rivalSince = this.clock.now();
    try {
      this.rival = this.wire(this.open(this.url));
    } catch {
      // No sockets here at all.
    }
  }

  dismiss() {
    const rival = this.rival;
    this.rival = null;
    rival?.close();
  }

  calm() {
    this.dismiss();
    Object.assign(this, { pause: FIRST_CHALLENGE, challengeAt: null });
  }

  // drop forgets a connection first, so that its late callbacks mean nothing.
  drop() {
    this.calm();
    const transport = this.transport;
    Object.assign(this, { transport: null, isOpen: false, spoke: false });
    transport?.close();
  }

  send(message) {
    if (this.isOpen) this.transport.send(JSON.stringify(message));
  }

  ask(market) {
    const { cursor, mode } = this.subscriptions.get(market);
    this.send({ op: "subscribe", market, mode, ...(cursor && { after: cursor }) });
  }

  // resync asks again from the last event that is certain.
  resync(market, sub) {
    if (!sub.acknowledged) return;
    sub.acknowledged = false;
    this.send({ op: "unsubscribe", market });
    this.ask(market);
  }

  // --- frames -------------------------------------------------------------------------

  // receive takes one message: one JSON object. A server of an earlier version joins several, one a line.
  receive(data) {
    this.spoke = true;
    this.startedAt = 0;
    for (const line of data.split("\n")) {
      if (line.trim() === "") continue;
      let frame;
      try {
        frame = JSON.parse(line);
      } catch {
        this.onError({ op: "error", code: "malformed_frame", message: "unreadable frame" });
        continue;
      }
      this.handle(frame);
    }
  }

  handle(frame) {
    if (frame.op === "heartbeat") return this.heartbeat(frame);
    if (frame.op === "error") return this.fail(frame);
    const sub = this.subscriptions.get(frame.market);
    if (!sub) return;
    if (frame.op === "event") return this.event(frame, sub);
    if (frame.op === "quote") return this.quote(frame, sub);
    if (frame.op === "snapshot") {
      Object.assign(sub, { seq: frame.seq, cursor: frame.cursor });
      this.onFrame(frame);
    } else if (frame.op !== "subscribed") return;
    // Where it goes on from is known, and may be left behind by what was asked for meanwhile.
    sub.acknowledged = true;
    this.report();
  }

  event(frame, sub) {
    if (sub.seq === null || frame.seq <= sub.seq) return;
    if (frame.prev !== sub.seq) return this.resync(frame.market, sub);
    Object.assign(sub, { seq: frame.seq, cursor: frame.cursor, acknowledged: true });
    this.lag = this.delay(frame.at);
    this.onFrame(frame);
  }

  quote(frame, sub) {
    if (sub.seq !== null && frame.seq <= sub.seq) return;
    sub.seq = frame.seq;
    this.onFrame(frame);
  }

  // replay and jump take what was asked for; what the connection still brings of it is known then.
  replay(events = [], sub) {
    const { acknowledged } = sub;
    for (const e of events) this.event(e, sub);
    sub.acknowledged = acknowledged;
  }

  jump(state, sub) {
    if (!sub || !(state.version > sub.seq)) return;
    const frame = { op: "snapshot", market: state.slug, seq: state.version, cursor: state.cursor, state };
    Object.assign(sub, { seq: frame.seq, cursor: frame.cursor });
    this.onFrame(frame);
  }

  // heartbeat compares heads. Events may still be on their way, so only a head that was already
  // missing a heartbeat ago means that something was lost.
  heartbeat(frame) {
    const now = this.clock.now();
    const passed = now - Date.parse(frame.at);
    if (this.skew === null || passed < this.skew) this.skew = passed;
    if (frame.dated !== false) this.hear(Date.parse(frame.at));
    // What was polled is as new as the question.
    const madeAt = frame.asked ?? now - this.delay(frame.at);
    this.beatAt = Math.max(this.beatAt, madeAt);
    this.source = frame.source;
    if (!this.polling) this.lag = now - madeAt;
    if (now - madeAt <= SILENCE) {
      this.attempts = 0;
      this.doubted = false;
      if (!this.polling) this.calm();
    }
    for (const [market, head] of Object.entries(frame.heads ?? {})) {
      const sub = this.subscriptions.get(market);
      if (!sub) continue;
      if (sub.head !== null && sub.seq < sub.head) this.resync(market, sub);
      sub.head = head;
    }
    this.report();
  }

  // delay is how long ago something happened that the server says was at a time.
  delay(at) {
    const passed = this.clock.now() - Date.parse(at);
    return Math.max(0, clocksDiffer(this.skew) ? passed - this.skew : passed);
  }

  fail(frame) {
    const { market } = frame;
    const sub = this.subscriptions.get(market);
    const again = () => this.subscriptions.get(market) === sub && !sub.acknowledged && this.ask(market);
    if (frame.code === "not_found") this.subscriptions.delete(market);
    else if (sub && NOT_NOW.has(frame.code)) this.clock.setTimeout(again, LONGEST_PAUSE * (0.5 + this.random() / 2));
    this.onError(frame);
    this.report();
  }

  // --- what it amounts to -------------------------------------------------------------

  tick() {
    const now = this.clock.now();
    this.beatAt = Math.min(this.beatAt, now); // this clock may be set back
    this.since = Math.min(this.since, now);
    if (this.rival && now - this.rivalSince > FIRST_FRAME) this.dismiss();
    if (this.transport) {
      const quiet = now - Math.max(this.beatAt, this.since);
      if (!this.rival && quiet > (this.spoke ? GIVE_UP : FIRST_FRAME)) return this.lose();
      if (this.spoke && (this.polling || quiet > SILENCE)) this.challenge();
    }
    this.report();
  }

  isFresh() {
    return !this.doubted && this.clock.now() - this.beatAt <= SILENCE;
  }

  state() {
    const is = (state, reason = null) => ({ state, reason });
    if (this.refused) return is("stale", "refused");
    if (!this.spoke || !this.isFresh()) {
      if (!this.online()) return is("stale", "offline");
      if (this.clock.now() - this.startedAt <= SILENCE) return is("catching_up", "connecting");
      return is("stale", this.spoke ? "silent" : "reconnecting");
    }
    if (this.source === "lost") return is("stale", "source_lost");
    if (this.source !== "live") return is("catching_up", "source_behind");
    const behind = [...this.subscriptions.values()].some((s) => !s.acknowledged || (s.head ?? 0) > (s.seq ?? 0));
    return behind ? is("catching_up", "behind") : is("live", this.polling ? "polling" : null);
  }

  report() {
    const status = this.state();
    if (status.state === "live") this.currentAt = this.beatAt;
    this.onStatus({ ...status, lag: this.lag, age: Math.max(0, this.clock.now() - this.currentAt) });
  }
}

// Polling stands in for a WebSocket where those are blocked: it takes the same messages and gives the
// same frames, so that the feed's guarantees are the same.
//
// A few markets are asked one by one what their tapes have behind the last event. With many, one
// question for the list, those that changed last first, tells which to ask: fifty cost little more
// than one. The answers come from the table, not from the node's reader; so a round that was
// answered proves that all is known as of its beginning, and a heartbeat says that.
class Polling {
  constructor({ fetch, api, clock, random }) {
    Object.assign(this, { fetch, api, clock, random });
    this.markets = new Map(); // slug → {mode, cursor, seq: null until acknowledged}
    this.ending = new AbortController();
    this.timer = clock.setTimeout(() => {
      this.timer = null;
      this.onopen?.();
      this.round();
    }, 0);
  }

  send(message) {
    const { op, market, mode, after = null } = JSON.parse(message);
    this.markets.delete(market);
    if (op !== "subscribe") return;
    this.markets.set(market, { mode, cursor: after, seq: null });
    this.hurry = true;
    if (this.timer) this.next(0);
  }

  close() {
    this.ending.abort();
    this.clock.clearTimeout(this.timer);
  }

  next(pause) {
    this.clock.clearTimeout(this.timer);
    this.timer = this.clock.setTimeout(() => this.round(), pause);
  }

  async round() {
    this.timer = null;
    this.hurry = false;
    const asked = this.clock.now();
    try {
      const states = await this.list();
      const waiting = [...this.markets];
      const ask = async () => {
        for (let next; (next = waiting.shift()) && !this.isOver(); ) await this.follow(...next, states.get(next[0]));
      };
      await Promise.all(Array.from({ length: AT_ONCE }, ask));
    } catch {
      if (this.isOver()) return;
      this.close();
      return this.onclose?.({ code: 1006 });
    }
    if (this.isOver()) return;
    const heads = Object.fromEntries(
      [...this.markets].filter(([, m]) => m.seq !== null).map(([slug, m]) => [slug, m.seq]),
    );
    this.say({
      op: "heartbeat",
      at: new Date(this.date ?? asked).toISOString(),
      asked,
      dated: Boolean(this.date),
      heads,
      source: "live",
    });
    const rest = RHYTHM * (0.9 + this.random() / 5) - (this.clock.now() - asked);
    if (!this.isOver()) this.next(this.hurry ? 0 : Math.max(LEAST_PAUSE, rest));
  }

  // list is the states of many markets at once. When none is followed, it is a sign of life.
  async list() {
    const { size } = this.markets;
    if (size > 0 && size <= FEW) return new Map();
    const { markets } = await this.get(`markets?limit=${size ? Math.min(size + MORE, LONGEST_LIST) : 1}`);
    return new Map(markets.map((m) => [m.slug, m]));
  }

  // follow gives what a market has that was not given yet.
  async follow(slug, market, listed) {
    try {
      if (market.mode !== "quote" && market.cursor && market.cursor !== listed?.cursor) await this.read(slug, market);
      else if (!market.cursor || market.mode === "quote")
        this.show(slug, market, listed ?? (await this.get(path(slug))));
      else this.acknowledge(slug, market);
    } catch (error) {
      if (error.status === 410) this.show(slug, market, await this.get(error.problem.snapshot ?? path(slug)));
      else if (error.status !== 404) throw error;
      else this.say({ op: "error", code: "not_found", message: error.problem.detail, market: slug }, market);
    }
  }

  async read(slug, market) {
    for (let page = 0; page < PAGES; page++) {
      const { events, next } = await this.get(
        `${path(slug)}/tape?${new URLSearchParams({ after: market.cursor, limit: PAGE })}`,
      );
      if (events.length === 0) return this.acknowledge(slug, market);
      market.cursor = next;
      market.seq = events.at(-1).seq;
      for (const event of events) this.say(event, market);
      if (events.length < PAGE) return;
    }
    this.show(slug, market, await this.get(path(slug)));
  }

  acknowledge(slug, market) {
    if (market.seq !== null) return;
    market.seq = parseInt(market.cursor, 10);
    this.say({ op: "subscribed", market: slug, seq: market.seq, cursor: market.cursor }, market);
  }

  // show gives a market as it is: all of it, or, to whom wants no more, its prices.
  show(slug, market, state) {
    if (market.seq !== null && market.cursor === state.cursor) return;
    const frame = { market: slug, seq: state.version, cursor: state.cursor };
    const goesOn = market.mode === "quote" && market.seq !== null && state.version > market.seq;
    Object.assign(market, { seq: state.version, cursor: state.cursor });
    this.say(goesOn ? { op: "quote", ...frame, prices: state.prices } : { op: "snapshot", ...frame, state }, market);
  }

  // say gives a frame, if it is of a subscription that is wanted still.
  say(frame, market) {
    if (this.isOver() || (market && this.markets.get(frame.market) !== market)) return;
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  async get(where) {
    const { body, date } = await get(this.fetch, new URL(where, this.api), this.ending.signal);
    if (date) this.date = date;
    return body;
  }

  isOver() {
    return this.ending.signal.aborted;
  }
}

// get resolves with an answer's body and date, or rejects with its status and what was wrong.
async function get(fetch, url, signal) {
  const response = await fetch(url, { headers: { Accept: "application/json" }, signal });
  if (response.ok) return { body: await response.json(), date: response.headers.get("date") };
  const problem = await response.json().catch(() => ({}));
  throw Object.assign(new Error(`${response.status}: ${url}`), { status: response.status, problem });
}

const path = (market) => `markets/${encodeURIComponent(market)}`;

// warn is for who has nothing else for errors.
const warn = ({ code, message, market }) => console.warn(`pgtape: ${code}${market ? ` (${market})` : ""}: ${message}`);

const clocksDiffer = (skew) => skew !== null && (skew < 0 || skew > CLOCKS_AGREE);

const call =
  (name) =>
  (...a) =>
    globalThis[name](...a);
const globalClock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  ...Object.fromEntries(
    ["setTimeout", "clearTimeout", "setInterval", "clearInterval"].map((name) => [name, call(name)]),
  ),
};
