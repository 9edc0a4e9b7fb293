import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, empty, Store } from "../js/store.js";
import { label } from "../js/outcomes.js";

const market = (changes = {}) => ({
  slug: "rain",
  status: "open",
  outcomes: ["yes", "no"],
  prices: { yes: "0.5", no: "0.5" },
  outstanding: { yes: "0.000000", no: "0.000000" },
  volume: "0.000000",
  trades: 0,
  traders: 0,
  version: 1,
  cursor: "1.aa",
  updated_at: "2026-02-03T12:00:00Z",
  payout: null,
  ...changes,
});

const trade = (seq, changes = {}) => ({
  op: "event",
  market: "rain",
  seq,
  prev: seq - 1,
  cursor: `${seq}.aa`,
  at: `2026-02-03T12:00:0${seq}Z`,
  kind: "trade",
  trade: {
    id: seq,
    account: "ana",
    outcome: "yes",
    side: "buy",
    shares: "50.000000",
    amount: "28.092981",
    avg_price: "0.561860",
  },
  prices: { yes: "0.622459331202", no: "0.377540668798" },
  ...changes,
});

const run = (frames, state = empty) => frames.reduce(apply, state);
const begun = run([{ op: "markets", markets: [market()] }]);

test("a trade moves price, version, volume and shares, and leaves the old state alone", () => {
  const before = structuredClone(begun);
  const after = run([trade(2)], begun).markets.get("rain").state;
  assert.equal(after.prices.yes, "0.622459331202");
  assert.deepEqual([after.version, after.cursor, after.trades], [2, "2.aa", 1]);
  assert.equal(after.volume, "28.092981");
  assert.deepEqual(after.outstanding, { yes: "50.000000", no: "0.000000" });
  assert.deepEqual(begun, before);
});

test("a sale takes its shares back and still counts as volume", () => {
  const sale = { ...trade(3).trade, side: "sell", shares: "20.000000", amount: "12.000000" };
  const after = run([trade(2), trade(3, { trade: sale })], begun).markets.get("rain").state;
  assert.equal(after.outstanding.yes, "30.000000");
  assert.equal(after.volume, "40.092981");
});

test("a repeated event, and one that does not follow, change nothing", () => {
  const state = run([trade(2)], begun);
  assert.equal(apply(state, trade(2)), state);
  assert.equal(apply(state, trade(4)), state);
  assert.equal(apply(state, trade(2, { market: "unknown" })), state);
});

test("halts and resolutions change the status, with the payout", () => {
  const halted = run(
    [trade(2, { kind: "halted", trade: undefined, status: "halted", halted: { actor: "house", reason: "checking" } })],
    begun,
  );
  assert.equal(halted.markets.get("rain").state.status, "halted");
  assert.equal(halted.markets.get("rain").state.trades, 0);
  const resolved = { actor: "house", payout: { yes: "1.000000", no: "0.000000" } };
  const state = run(
    [trade(3, { kind: "resolved", trade: undefined, prices: undefined, status: "resolved", resolved })],
    halted,
  ).markets.get("rain").state;
  assert.deepEqual(
    [state.status, state.payout.yes, state.resolved_at],
    ["resolved", "1.000000", "2026-02-03T12:00:03Z"],
  );
  assert.equal(state.prices.yes, "0.622459331202", "an event without prices keeps them");
});

test("a snapshot that goes further says that the tape has a hole, until it is filled", () => {
  const jumped = run([trade(2), { op: "snapshot", state: market({ version: 9, cursor: "9.aa" }) }], begun);
  assert.deepEqual([jumped.markets.get("rain").broken, jumped.markets.get("rain").tape.length], [true, 0]);
  const filled = apply(jumped, { op: "tape", market: "rain", events: [trade(8), trade(9)] });
  assert.deepEqual(
    [filled.markets.get("rain").broken, filled.markets.get("rain").tape.map((e) => e.seq)],
    [false, [8, 9]],
  );
  const on = apply(filled, trade(10));
  assert.deepEqual(
    on.markets.get("rain").tape.map((e) => e.seq),
    [8, 9, 10],
  );
});

test("a snapshot of where we are keeps the tape", () => {
  const state = run([trade(2), { op: "snapshot", state: market({ version: 2, cursor: "2.aa" }) }], begun);
  assert.deepEqual([state.markets.get("rain").broken, state.markets.get("rain").tape.length], [false, 1]);
});

test("after a restore the server's history counts, though it is shorter", () => {
  const state = run([trade(2), trade(3), { op: "snapshot", state: market({ version: 2, cursor: "2.bb" }) }], begun);
  assert.deepEqual([state.markets.get("rain").state.version, state.markets.get("rain").tape.length], [2, 0]);
  assert.equal(run([trade(3, { cursor: "3.bb" })], state).markets.get("rain").state.cursor, "3.bb");
});

test("an older HTTP answer does not undo what the socket said", () => {
  const state = run([trade(2)], begun);
  assert.equal(apply(state, { op: "markets", markets: [market()] }), state);
});

test("older events fill the tape in front, without repeating what is there", () => {
  const state = run([trade(2), trade(3), { op: "tape", market: "rain", events: [trade(1), trade(2)] }], begun);
  assert.deepEqual(
    state.markets.get("rain").tape.map((e) => e.seq),
    [1, 2, 3],
  );
});

test("the ticker has the latest trades of all markets, each once, with the price before", () => {
  const wind = { op: "markets", markets: [market({ slug: "wind" })] };
  const state = run(
    [wind, trade(2), trade(3, { market: "wind", prev: 1 }), { op: "tape", market: "rain", events: [trade(2)] }],
    begun,
  );
  assert.deepEqual(
    state.ticker.map((t) => [t.market, t.seq]),
    [
      ["wind", 3],
      ["rain", 2],
    ],
  );
  assert.deepEqual([state.ticker[1].was, state.ticker[1].price], ["0.5", "0.622459331202"]);
});

test("tape and ticker stay bounded", () => {
  const many = Array.from({ length: 400 }, (_, i) => trade(i + 2, { at: "2026-02-03T12:00:00Z" }));
  const state = run(many, begun);
  assert.equal(state.markets.get("rain").state.version, 401);
  assert.equal(state.markets.get("rain").tape.length, 300);
  assert.ok(state.ticker.length <= 24);
});

test("a receipt updates what we have, and leaves the price to the tape", () => {
  const signedIn = run([{ op: "account", account: { handle: "ana", balance: "1000.000000" } }], begun);
  const receipt = { market: "rain", outcome: "yes", balance: "971.907019", position: "50.000000", price_after: "0.62" };
  const state = apply(signedIn, { op: "receipt", receipt });
  assert.equal(state.account.balance, "971.907019");
  assert.equal(state.positions.get("rain").get("yes").shares, "50.000000");
  assert.equal(state.markets, signedIn.markets);
});

test("signing out forgets positions", () => {
  const held = run(
    [
      {
        op: "portfolio",
        account: { handle: "ana", balance: "1" },
        positions: [{ market: "rain", outcome: "yes", shares: "1" }],
      },
    ],
    begun,
  );
  assert.equal(held.positions.get("rain").get("yes").shares, "1");
  assert.deepEqual(apply(held, { op: "account", account: null }).positions, new Map());
});

test("an unknown frame changes nothing", () => {
  assert.equal(apply(begun, { op: "weather" }), begun);
});

test("watchers hear once per turn, of what they watch only", () => {
  const queue = [];
  const store = new Store({ schedule: (run) => queue.push(run) });
  store.dispatch({ op: "markets", markets: [market(), market({ slug: "wind" })] });
  const heard = [];
  const stop = store.watch(
    (s) => s.markets.get("rain")?.state.version,
    (v) => heard.push(v),
  );
  queue.splice(0).forEach((f) => f());
  store.dispatch(trade(2));
  store.dispatch(trade(3));
  assert.equal(queue.length, 1);
  queue.splice(0).forEach((f) => f());
  store.dispatch(trade(2, { market: "wind" }));
  queue.splice(0).forEach((f) => f());
  assert.deepEqual(heard, [1, 3]);
  stop();
  store.dispatch(trade(4));
  queue.splice(0).forEach((f) => f());
  assert.deepEqual(heard, [1, 3]);
});

test("complete sets move the shares of every outcome, no price and no volume", () => {
  const sets = { ...trade(2).trade, outcome: "*", shares: "5.000000", amount: "5.000000" };
  const after = run([trade(2, { trade: sets, prices: { yes: "0.5", no: "0.5" } })], begun).markets.get("rain").state;
  assert.deepEqual(after.outstanding, { yes: "5.000000", no: "5.000000" });
  assert.deepEqual([after.prices.yes, after.volume, after.trades], ["0.5", "0.000000", 0]);
});

test("a proposal pays nobody; void and a correction say who was paid", () => {
  const step = (seq, kind, status, payout) =>
    trade(seq, { kind, trade: undefined, status, [kind]: { actor: "house", reason: "why", payout } });
  const yes = { yes: "1.000000", no: "0.000000" };
  const no = { yes: "0.000000", no: "1.000000" };
  const proposed = run([step(2, "proposed", "proposed", yes)], begun);
  assert.deepEqual(
    [proposed.markets.get("rain").state.proposal, proposed.markets.get("rain").state.payout],
    [yes, null],
  );
  const ended = run([step(3, "void", "void", yes), step(4, "corrected", "resolved", no)], proposed).markets.get(
    "rain",
  ).state;
  assert.deepEqual([ended.payout, ended.status, ended.resolved_at], [no, "resolved", "2026-02-03T12:00:03Z"]);
});

test("a comment moves the version, and neither prices, status nor numbers", () => {
  const said = (seq, kind) => trade(seq, { kind, trade: undefined, [kind]: { id: 7, account: "ana" } });
  const state = run([trade(2), said(3, "commented"), said(4, "comment_removed")], begun);
  const { state: m, tape } = state.markets.get("rain");
  assert.deepEqual([m.version, m.status, m.trades, m.prices.yes, m.payout], [4, "open", 1, "0.622459331202", null]);
  assert.deepEqual([tape.length, state.told, state.ticker.length], [3, 2, 1]);
});

test("people's words are what they are called, also those that objects inherit", () => {
  for (const word of ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"]) {
    const json = (a, b) => JSON.parse(`{${JSON.stringify(word)}: "${a}", "no": "${b}"}`);
    const named = market({
      slug: word,
      outcomes: [word, "no"],
      prices: json("0.5", "0.5"),
      outstanding: json("0.000000", "0.000000"),
    });
    const mine = { handle: word, balance: "1.000000" };
    const begun = run([
      { op: "event", ...trade(2, { market: word }) },
      { op: "markets", markets: [named] },
      { op: "account", account: mine },
    ]);
    const bought = { ...trade(2).trade, account: word, outcome: word };
    const state = run(
      [
        trade(2, { market: word, trade: bought, prices: json("0.6", "0.4") }),
        { op: "receipt", receipt: { market: word, outcome: word, balance: "0.500000", position: "50.000000" } },
        { op: "base", market: word, at: 1, prices: json("0.5", "0.5") },
      ],
      begun,
    );
    const { state: after, tape, base } = state.markets.get(word);
    assert.deepEqual(
      [after.prices[word], after.outstanding[word], after.version, tape.length],
      ["0.6", "50.000000", 2, 1],
      word,
    );
    assert.deepEqual([state.ticker[0].price, state.ticker[0].was, base.prices[word]], ["0.6", "0.5", "0.5"], word);
    assert.equal(state.positions.get(word).get(word).shares, "50.000000");
    const told = apply(state, {
      op: "portfolio",
      account: mine,
      positions: [{ market: word, outcome: word, shares: "7.000000" }],
    });
    assert.equal(told.positions.get(word).get(word).shares, "7.000000");
    assert.equal(label(word), word);
  }
  assert.equal(Object.prototype.yes, undefined);
});
