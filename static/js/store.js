// One store. Everything that happens is a frame, from the socket or from the page itself, and
// apply() says what it makes of the state; nothing else changes it.
import { add, decimal, units } from "./money.js";
import { EACH, own } from "./outcomes.js";

const TAPE_KEPT = 300;
const TICKER_KEPT = 24;

export const empty = {
  // slug → {state, tape: events, oldest first, broken: the tape does not reach the state,
  //         base: {at, prices} that changes are counted from}
  markets: new Map(),
  told: 0, // how many events other than trades there were
  ticker: [], // newest first: {market, seq, at, trade, price, was}
  account: null, // {handle, balance}
  positions: new Map(), // market → Map of outcome → {shares, cost}
  feed: { state: "catching_up", reason: "connecting", lag: null, age: 0 },
};

// apply returns the state after a frame; the same object when the frame changes nothing.
export function apply(state, frame) {
  return reducers[frame.op]?.(state, frame) ?? state;
}

const reducers = {
  snapshot: (state, frame) => putMarket(state, frame.state),
  markets: (state, frame) => frame.markets.reduce(putNewer, state),
  event,
  quote,
  tape,
  base,
  receipt,
  status: (state, { feed }) => ({ ...state, feed }),
  account: (state, { account }) => ({ ...state, account, ...(!account && { positions: new Map() }) }),
  portfolio: (state, { account, positions }) => ({ ...state, account, positions: byMarket(positions) }),
};

// putMarket takes a market as it is, also when that is behind what we had: after a restore the
// server's history is the one that counts.
function putMarket(state, market) {
  const known = state.markets.get(market.slug);
  const tape = known?.tape ?? [];
  const goesOn = tape.length > 0 && tape.at(-1).cursor === market.cursor;
  return withMarket(state, market.slug, {
    ...known,
    state: market,
    tape: goesOn ? tape : [],
    broken: !goesOn && known !== undefined,
  });
}

// putNewer takes what an HTTP answer says, unless the socket already told us more.
function putNewer(state, market) {
  const known = state.markets.get(market.slug);
  return known && known.state.version >= market.version ? state : putMarket(state, market);
}

// event carries one step of the tape. What does not follow directly is a repetition, or for the
// feed to ask again.
function event(state, frame) {
  const known = state.markets.get(frame.market);
  if (!known || frame.prev !== known.state.version) return state;
  const before = known.state;
  const market = {
    ...before,
    ...(frame.prices && { prices: frame.prices }),
    ...(frame.status && { status: frame.status }),
    ...(frame.trade && afterTrade(before, frame.trade)),
    ...payouts(frame),
    version: frame.seq,
    cursor: frame.cursor,
    updated_at: frame.at,
  };
  const next = withMarket(state, frame.market, {
    ...known,
    state: market,
    tape: [...known.tape, frame].slice(-TAPE_KEPT),
  });
  return frame.trade
    ? { ...next, ticker: [tickerItem(frame, before), ...state.ticker].slice(0, TICKER_KEPT) }
    : { ...next, told: next.told + 1 };
}

// payouts is what an event says of who is paid: proposed, or for good, corrections included.
function payouts(frame) {
  const payout = frame[frame.kind]?.payout;
  if (!payout) return {};
  if (frame.kind === "proposed") return { proposal: payout };
  return { payout, ...(frame.kind !== "corrected" && { resolved_at: frame.at }) };
}

function afterTrade(market, trade) {
  const by = units(trade.shares);
  const moved = trade.outcome === EACH ? market.outcomes : [trade.outcome];
  const after = (held) => decimal(trade.side === "buy" ? held + by : held - by);
  return {
    outstanding: {
      ...market.outstanding,
      ...Object.fromEntries(moved.map((o) => [o, after(units(own(market.outstanding, o) ?? "0"))])),
    },
    // complete sets move no price, and can be had for nothing
    ...(trade.outcome !== EACH && { volume: add(market.volume, trade.amount), trades: market.trades + 1 }),
  };
}

const tickerItem = (frame, before) => ({
  market: frame.market,
  seq: frame.seq,
  at: frame.at,
  trade: frame.trade,
  price: own(frame.prices, frame.trade.outcome),
  was: own(before?.prices, frame.trade.outcome),
});

// quote is a price without its events: fresher, but the tape no longer reaches it.
function quote(state, frame) {
  const known = state.markets.get(frame.market);
  if (!known || frame.seq <= known.state.version) return state;
  const market = { ...known.state, prices: frame.prices, version: frame.seq };
  return withMarket(state, frame.market, { ...known, state: market, broken: true });
}

// tape is a page of events, oldest first: it fills what is missing, and history for the ticker.
function tape(state, { market, events }) {
  const known = state.markets.get(market);
  if (!known) return state;
  const first = known.tape[0]?.seq ?? Infinity;
  const merged = [...events.filter((e) => e.seq < first), ...known.tape].slice(-TAPE_KEPT);
  const broken = merged.length > 0 && merged.at(-1).seq < known.state.version;
  const seen = new Set(state.ticker.map((t) => `${t.market} ${t.seq}`));
  const ticker = [
    ...state.ticker,
    ...events
      .map((e, i) => e.trade && tickerItem({ ...e, market }, events[i - 1]))
      .filter((t) => t && !seen.has(`${t.market} ${t.seq}`)),
  ];
  ticker.sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  return { ...withMarket(state, market, { ...known, tape: merged, broken }), ticker: ticker.slice(0, TICKER_KEPT) };
}

// base is where a market's prices stood a day ago, or when it began.
function base(state, { market, at, prices }) {
  const known = state.markets.get(market);
  return known ? withMarket(state, market, { ...known, base: { at, prices } }) : state;
}

// receipt is the answer to our own order: what we have now. The price waits for the tape.
function receipt(state, { receipt: r }) {
  const held = state.positions.get(r.market);
  return {
    ...state,
    account: state.account && { ...state.account, balance: r.balance ?? state.account.balance },
    ...(r.position !== undefined && {
      positions: withKey(
        state.positions,
        r.market,
        withKey(held ?? [], r.outcome, { ...held?.get(r.outcome), shares: r.position }),
      ),
    }),
  };
}

function byMarket(positions) {
  const result = new Map();
  for (const p of positions) result.set(p.market, (result.get(p.market) ?? new Map()).set(p.outcome, p));
  return result;
}

// What is kept by people's words is a Map: an object has a constructor before anybody makes a market of
// that name.
const withKey = (map, key, value) => new Map(map).set(key, value);
const withMarket = (state, slug, entry) => ({ ...state, markets: withKey(state.markets, slug, entry) });

// Store holds the state and tells those who watch, at most once per painted frame.
export class Store {
  constructor({ schedule }) {
    this.state = empty;
    this.schedule = schedule;
    this.watchers = new Set();
    this.due = false;
  }

  dispatch(frame) {
    const next = apply(this.state, frame);
    if (next === this.state) return;
    this.state = next;
    if (this.due) return;
    this.due = true;
    this.schedule(() => {
      this.due = false;
      for (const watcher of [...this.watchers]) this.tell(watcher);
    });
  }

  // watch calls back with what select() picks, now and whenever that is another object or value.
  // Returns how to stop.
  watch(select, callback) {
    const watcher = { select, callback, last: Symbol("never") };
    this.watchers.add(watcher);
    this.tell(watcher);
    return () => this.watchers.delete(watcher);
  }

  tell(watcher) {
    const value = watcher.select(this.state);
    if (value === watcher.last || value === undefined) return;
    watcher.last = value;
    watcher.callback(value);
  }
}
