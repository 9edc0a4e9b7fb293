import assert from "node:assert/strict";
import { test } from "node:test";
import { holdingValue } from "../js/value.js";

const market = (outstanding, liquidity = "100", payout = null) => ({
  outcomes: Object.keys(outstanding),
  outstanding,
  liquidity,
  payout,
  prices: {},
});
const holding = (shares) => new Map(Object.entries(shares).map(([o, n]) => [o, { shares: n }]));
const value = (outstanding, held, liquidity) => holdingValue(market(outstanding, liquidity), holding(held));

// Shares outstanding, liquidity, shares held, and what Postgres says.
const VALUES = [
  [{ a: "3000", b: "0" }, "100", { a: "3000", b: "0" }, "2930.685281"],
  [{ a: "50", b: "0" }, "100", { a: "50", b: "0" }, "28.092980"],
  [{ a: "100", b: "50" }, "100", { a: "100", b: "0" }, "50.000000"],
  [{ a: "3000", b: "3000.000001" }, "100", { a: "3000", b: "3000.000001" }, "3000.000000"],
  [{ a: "200", b: "200.5" }, "100", { a: "200", b: "200.5" }, "200.250312"],
  [{ a: "8.333333", b: "12.5", c: "5.000001" }, "10", { a: "3.333333", b: "12", c: "0.000001" }, "5.369961"],
  [
    { a: "40", b: "80", c: "120", d: "10", e: "90" },
    "250",
    { a: "40", b: "80", c: "120", d: "10", e: "0" },
    "50.172088",
  ],
  [{ a: "59700000000", b: "12" }, "10000000", { a: "59700000000", b: "0" }, "59693068522.194398"],
  [{ a: "1000000000000", b: "0.000001" }, "0.01", { a: "0", b: "0.000001" }, "0.000000"],
  [{ a: "120.123456", b: "77.000001", c: "0.5" }, "3.75", { a: "20.000001", b: "77.000001", c: "0.5" }, "20.000039"],
];

test("a holding is worth what pgtape_core.holding_value says, to the micro", () => {
  VALUES.forEach(([q, b, h, want]) => assert.equal(value(q, h, b), want, JSON.stringify([q, b, h])));
});

test("complete sets are worth exactly 1 each, whatever the prices", () => {
  assert.equal(
    value({ yes: "1000.000000", no: "1000.000000" }, { yes: "1000.000000", no: "1000.000000" }),
    "1000.000000",
  );
  assert.equal(value({ yes: "5200.000000", no: "200.000000" }, { yes: "200.000000", no: "200.000000" }), "200.000000");
  assert.equal(value({ yes: "10.000000", no: "0.000000" }, {}), "0.000000");
});

test("after it has paid out, what the shares have brought", () => {
  const paid = market({ a: "1", b: "1", c: "1" }, "100", { a: "0.333334", b: "0.333333", c: "0.333333" });
  assert.equal(holdingValue(paid, holding({ a: "3.000001", b: "0.500000" })), "1.166668");
});
