// Polling stands in for a WebSocket where those are blocked: it takes the same messages and gives the
// same frames, so that the feed's guarantees are the same.
//
// A few markets are asked one by one what their tapes have behind the last event. With many, one
// question for the list, those that changed last first, tells which to ask: fifty cost little more
// than one. The answers come from the table, not from the node's reader; so a round that was
// answered proves that all is known as of its beginning, and a heartbeat says that.

const RHYTHM = 1_000; // from the beginning of a round to that of the next
const LEAST_PAUSE = 250;
const FEW = 4; // are asked one by one
const AT_ONCE = 4;
const MORE = 10; // of the list than are followed: others change too
const LONGEST_LIST = 200;
const PAGE = 1_000;
const PAGES = 5; // behind by more, a snapshot is quicker

// get resolves with an answer's body and date, or rejects with its status and what was wrong.
export async function get(fetch, url, signal) {
  const response = await fetch(url, { headers: { Accept: "application/json" }, signal });
  if (response.ok) return { body: await response.json(), date: response.headers.get("date") };
  const problem = await response.json().catch(() => ({}));
  throw Object.assign(new Error(`${response.status}: ${url}`), { status: response.status, problem });
}

const path = (market) => `markets/${encodeURIComponent(market)}`;

export class Polling {
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
    const heads = Object.fromEntries([...this.markets].filter(([, m]) => m.seq !== null).map(([slug, m]) => [slug, m.seq]));
    this.say({ op: "heartbeat", at: new Date(this.date ?? asked).toISOString(), asked, dated: Boolean(this.date), heads, source: "live" });
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
      else if (!market.cursor || market.mode === "quote") this.show(slug, market, listed ?? (await this.get(path(slug))));
      else this.acknowledge(slug, market);
    } catch (error) {
      if (error.status === 410) this.show(slug, market, await this.get(error.problem.snapshot ?? path(slug)));
      else if (error.status !== 404) throw error;
      else this.say({ op: "error", code: "not_found", message: error.problem.detail, market: slug }, market);
    }
  }

  async read(slug, market) {
    for (let page = 0; page < PAGES; page++) {
      const { events, next } = await this.get(`${path(slug)}/tape?${new URLSearchParams({ after: market.cursor, limit: PAGE })}`);
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
