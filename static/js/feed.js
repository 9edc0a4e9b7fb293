// The live client: one socket, any number of markets, no event lost and none twice.
//
// It resumes each market from its cursor after a break, checks that every event follows the one
// before (`prev`), and takes silence for what it is: a heartbeat is due each second.
//
//   live          heartbeats arrive, the node's tape reader is live, every market is up to date
//   catching_up   connected, but a subscription or the node's reader is still behind
//   reconnecting  no socket; the next attempt is under way or waits for its turn
//   stale         a socket without heartbeats, or a node that lost its tape
//   offline       no network, or the server does not want us
//
// `open` makes the transport: anything with send, close and the four on… callbacks of a
// WebSocket will do, so polling the tape can stand in where sockets are blocked.

const SILENCE = 2_500; // a heartbeat is late after this
const GIVE_UP = 10_000; // and its socket dead after this
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 10_000;
const TICK = 500;
const CLOCKS_AGREE = 250; // a difference below this is delay, above it the clocks differ

export class Feed {
  // onFrame gets snapshots, events and quotes that are new and in order; onStatus the state with
  // lag (ms, of the last message) and age (ms since everything was known to be current).
  constructor({ url, open = (u) => new WebSocket(u), clock = globalClock, random = Math.random, online = () => globalThis.navigator?.onLine !== false, onFrame = () => {}, onStatus = () => {}, onError = () => {} }) {
    Object.assign(this, { url, open, clock, random, online, onFrame, onStatus, onError });
    this.subscriptions = new Map(); // market → {mode, seq, cursor, acknowledged, head}
    this.socket = null;
    this.attempts = 0;
    this.source = "live";
    this.skew = null; // this clock minus the server's, at the quickest message yet
    this.lag = null;
    this.currentAt = this.clock.now();
    this.everOpen = false;
    this.refused = false; // by the server, for good
  }

  start() {
    this.ticking = this.clock.setInterval(() => this.tick(), TICK);
    this.connect();
  }

  stop() {
    this.clock.clearInterval(this.ticking);
    this.clock.clearTimeout(this.retry);
    this.drop();
  }

  // subscribe follows a market from a point already known ({seq, cursor}), or from a snapshot.
  subscribe(market, { seq = null, cursor = null, mode = "tape" } = {}) {
    const known = this.subscriptions.get(market);
    if (known && known.mode === mode) return;
    this.subscriptions.set(market, { mode, seq: known?.seq ?? seq, cursor: known?.cursor ?? cursor, acknowledged: false, head: null });
    this.ask(market);
  }

  unsubscribe(market) {
    if (this.subscriptions.delete(market)) this.send({ op: "unsubscribe", market });
  }

  // wake tries again at once: the network is back, or somebody is looking again.
  wake() {
    if (this.socket || this.refused) return;
    this.clock.clearTimeout(this.retry);
    this.connect();
  }

  // serverNow is the server's time as well as it is known, in epoch milliseconds.
  serverNow() {
    return this.clock.now() - (clocksDiffer(this.skew) ? this.skew : 0);
  }

  connect() {
    this.retry = null;
    if (!this.online()) return this.again();
    const socket = this.open(this.url);
    this.socket = socket;
    this.isOpen = false;
    this.beatAt = this.clock.now();
    socket.onopen = () => this.opened(socket);
    socket.onmessage = (message) => socket === this.socket && this.receive(message.data);
    socket.onclose = (event) => socket === this.socket && this.closed(event?.code);
    socket.onerror = () => {}; // a close follows
    this.report();
  }

  opened(socket) {
    if (socket !== this.socket) return;
    this.isOpen = true;
    this.beatAt = this.clock.now();
    for (const [market, sub] of this.subscriptions) {
      sub.acknowledged = false;
      this.ask(market);
    }
    this.report();
  }

  closed(code) {
    this.socket = null;
    this.isOpen = false;
    this.refused = code === 4003;
    if (!this.refused) this.again();
    this.report();
  }

  again() {
    const pause = Math.min(FIRST_PAUSE * 2 ** this.attempts, LONGEST_PAUSE) * (0.5 + this.random() / 2);
    this.attempts = Math.min(this.attempts + 1, 10);
    this.retry = this.clock.setTimeout(() => this.connect(), pause);
  }

  // drop forgets the socket first, so that its late callbacks mean nothing.
  drop() {
    const socket = this.socket;
    this.socket = null;
    this.isOpen = false;
    socket?.close();
  }

  send(message) {
    if (this.isOpen) this.socket.send(JSON.stringify(message));
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

  // receive takes one message: one JSON object, or several, one per line.
  receive(data) {
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
    if (frame.op === "snapshot" || frame.op === "subscribed") {
      Object.assign(sub, { seq: frame.seq, cursor: frame.cursor, acknowledged: true });
      if (frame.op === "snapshot") this.onFrame(frame);
      this.report();
    }
  }

  event(frame, sub) {
    if (sub.seq === null || frame.seq <= sub.seq) return;
    if (frame.prev !== sub.seq) return this.resync(frame.market, sub);
    Object.assign(sub, { seq: frame.seq, cursor: frame.cursor, acknowledged: true });
    this.measure(frame.at);
    this.onFrame(frame);
  }

  quote(frame, sub) {
    if (sub.seq !== null && frame.seq <= sub.seq) return;
    sub.seq = frame.seq;
    this.onFrame(frame);
  }

  // heartbeat compares heads. Events may still be on their way, so only a head that was already
  // missing a heartbeat ago means that something was lost.
  heartbeat(frame) {
    this.beatAt = this.clock.now();
    this.attempts = 0;
    this.source = frame.source;
    const delay = this.beatAt - Date.parse(frame.at);
    if (this.skew === null || delay < this.skew) this.skew = delay;
    this.measure(frame.at);
    for (const [market, head] of Object.entries(frame.heads ?? {})) {
      const sub = this.subscriptions.get(market);
      if (!sub) continue;
      if (sub.head !== null && sub.seq < sub.head) this.resync(market, sub);
      sub.head = head;
    }
    this.report();
  }

  measure(at) {
    const delay = this.clock.now() - Date.parse(at);
    this.lag = Math.max(0, clocksDiffer(this.skew) ? delay - this.skew : delay);
  }

  fail(frame) {
    if (frame.market && frame.code === "not_found") this.subscriptions.delete(frame.market);
    this.onError(frame);
    this.report();
  }

  tick() {
    const silence = this.clock.now() - this.beatAt;
    if (this.socket && silence > GIVE_UP) {
      this.drop();
      this.again();
    }
    this.report();
  }

  state() {
    if (this.refused || !this.online()) return "offline";
    if (!this.socket || !this.isOpen) return this.everOpen || this.attempts > 0 ? "reconnecting" : "catching_up";
    if (this.clock.now() - this.beatAt > SILENCE || this.source === "lost") return "stale";
    const behind = [...this.subscriptions.values()].some((s) => !s.acknowledged || (s.head ?? 0) > (s.seq ?? 0));
    return behind || this.source !== "live" ? "catching_up" : "live";
  }

  report() {
    const now = this.clock.now();
    this.everOpen ||= this.isOpen;
    const state = this.state();
    if (state === "live") this.currentAt = this.beatAt;
    this.onStatus({ state, lag: this.lag, age: now - this.currentAt });
  }
}

const clocksDiffer = (skew) => skew !== null && (skew < 0 || skew > CLOCKS_AGREE);

const globalClock = {
  now: () => Date.now(),
  setTimeout: (...a) => globalThis.setTimeout(...a),
  clearTimeout: (t) => globalThis.clearTimeout(t),
  setInterval: (...a) => globalThis.setInterval(...a),
  clearInterval: (t) => globalThis.clearInterval(t),
};
