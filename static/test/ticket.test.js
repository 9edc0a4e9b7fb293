import assert from "node:assert/strict";
import { test } from "node:test";
import { initial, orderBody, quoteQuery, resume, step, table } from "../js/ticket.js";

const form = { outcome: "yes", side: "buy", unit: "spend", amount: "10" };
const quote = {
  version: 812,
  outcome: "yes",
  side: "buy",
  shares: "15.62",
  amount: "9.999",
  avg_price: "0.640000",
  price_before: "0.622",
  price_after: "0.657",
};
const settings = { slippageBps: 50 };
const confirm = (key = "k1") => ({ type: "confirm", key, settings });

const run = (events, model = initial) => events.reduce(step, model);
const input = { type: "input", form };
const quoted = (serial = 1, q = quote) => ({ type: "quoted", serial, quote: q });
const ready = run([input, quoted()]);
const sending = run([confirm()], ready);

test("typing asks for a quote, which makes the ticket ready", () => {
  assert.deepEqual([run([input]).state, run([input]).action], ["quoting", "quote"]);
  assert.deepEqual([ready.state, ready.action, ready.quote], ["ready", null, quote]);
});

test("an answer about what was typed before is dropped", () => {
  const later = run([input, { type: "input", form: { ...form, amount: "100" } }]);
  assert.equal(step(later, quoted(1)), later);
  assert.equal(step(later, quoted(2)).state, "ready");
});

test("an order is bound to the quote that was shown", () => {
  assert.equal(sending.state, "sending");
  assert.equal(sending.action, "send");
  assert.deepEqual(sending.order, {
    key: "k1",
    body: {
      outcome: "yes",
      side: "buy",
      spend: "10",
      expected_price: "0.640000",
      expected_version: 812,
      max_slippage_bps: 50,
    },
  });
  assert.equal(orderBody(ready, { slippageBps: 0, deadline: "2026-02-03T12:00:00Z" }).deadline, "2026-02-03T12:00:00Z");
  assert.equal(orderBody(ready, { slippageBps: 0 }).max_slippage_bps, 0);
  assert.deepEqual(quoteQuery({ ...form, unit: "shares" }), { outcome: "yes", side: "buy", shares: "10" });
});

test("a double click makes one order", () => {
  assert.equal(step(sending, confirm("k2")), sending);
});

test("nothing is sent without a quote", () => {
  for (const model of [initial, run([input]), run([input, { type: "refused", problem: {} }])]) {
    assert.equal(step(model, confirm()), model, model.state);
  }
});

test("while an order is on its way, typing and moving prices change nothing", () => {
  for (const event of [input, { type: "moved" }, { type: "clear", form }, { type: "cancel" }, quoted()]) {
    assert.equal(step(sending, event), sending, event.type);
  }
});

test("the quote follows the price, and can be confirmed meanwhile", () => {
  const moved = run([{ type: "moved" }], ready);
  assert.deepEqual([moved.state, moved.action], ["ready", "quote"]);
  const newer = { ...quote, version: 813, avg_price: "0.661" };
  assert.equal(run([quoted(1, newer), confirm()], moved).order.body.expected_price, "0.661");
});

test("a fill ends in a receipt, and the order is forgotten", () => {
  const filled = run([{ type: "filled", receipt: { version: 813 } }], sending);
  assert.deepEqual([filled.state, filled.order, filled.receipt.version], ["filled", null, 813]);
  const away = run([{ type: "cancel" }], filled);
  assert.deepEqual([away.state, away.form.amount], ["idle", null]);
});

test("a stale quote is never sent again by itself", () => {
  const fresh = { ...quote, version: 820, avg_price: "0.661" };
  const stale = run([{ type: "stale", quote: fresh, problem: { code: "stale_quote" } }], sending);
  assert.deepEqual([stale.state, stale.action, stale.order], ["stale", null, null]);
  assert.deepEqual([stale.was.avg_price, stale.quote.avg_price], ["0.640000", "0.661"]);
  for (const event of [{ type: "moved" }, quoted(), { type: "lost" }])
    assert.equal(step(stale, event), stale, event.type);
});

test("one tap takes the fresh quote, as a new order; cancel asks anew", () => {
  const fresh = { ...quote, version: 820, avg_price: "0.661" };
  const stale = run([{ type: "stale", quote: fresh, problem: {} }], sending);
  const again = run([confirm("k2")], stale);
  assert.deepEqual(
    [again.state, again.order.key, again.order.body.expected_price, again.order.body.expected_version],
    ["sending", "k2", "0.661", 820],
  );
  const cancelled = run([{ type: "cancel" }], stale);
  assert.deepEqual([cancelled.state, cancelled.action], ["quoting", "quote"]);
});

test("a lost connection asks again with the same key until it knows", () => {
  let model = run([{ type: "lost" }], sending);
  for (let i = 0; i < 3; i++) {
    assert.deepEqual([model.state, model.action, model.order], ["unknown", "ask_again", sending.order]);
    assert.equal(step(model, confirm("k2")), model);
    assert.equal(step(model, input), model);
    model = run([{ type: "lost" }], model);
  }
  assert.equal(run([{ type: "filled", receipt: {} }], model).state, "filled");
  assert.equal(run([{ type: "refused", problem: {} }], model).state, "refused");
  assert.equal(run([{ type: "stale", quote, problem: {} }], model).state, "stale");
});

test("an order that outlived its page starts by asking what became of it", () => {
  const model = resume(sending.order, form);
  assert.deepEqual([model.state, model.action, model.order.key], ["unknown", "ask_again", "k1"]);
});

test("a quote that gets no answer is asked for later, one that is refused says so", () => {
  const quoting = run([input]);
  assert.equal(run([{ type: "lost", serial: 1 }], quoting).action, "quote_later");
  assert.equal(
    run([{ type: "refused", serial: 1, problem: { code: "invalid_order" } }], quoting).problem.code,
    "invalid_order",
  );
  assert.equal(run([{ type: "lost", serial: 1 }], ready).state, "ready");
});

test("emptying the field leaves nothing to send", () => {
  const cleared = run([{ type: "clear", form: { ...form, amount: null } }], ready);
  assert.deepEqual([cleared.state, cleared.quote], ["idle", null]);
  assert.equal(step(cleared, quoted(1)), cleared);
});

test("side and outcome can be chosen before there is an amount", () => {
  const chosen = run([{ type: "clear", form: { ...form, side: "sell", amount: null } }]);
  assert.deepEqual([chosen.state, chosen.form.side], ["idle", "sell"]);
});

test("each row of the table leads to a state that is in it", () => {
  for (const [state, row] of Object.entries(table)) {
    for (const [event, [next]] of Object.entries(row)) assert.ok(table[next], `${state} ${event} → ${next}`);
  }
});

test("money moves only on confirm, and is asked about again only from a lost order", () => {
  for (const [state, row] of Object.entries(table)) {
    for (const [event, [, action]] of Object.entries(row)) {
      if (action === "send") assert.equal(event, "confirm", state);
      if (action === "ask_again") assert.deepEqual([event, ["sending", "unknown"].includes(state)], ["lost", true]);
    }
  }
});
