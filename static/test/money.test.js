import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  add,
  change,
  compare,
  counted,
  credits,
  decimal,
  exactCredits,
  held,
  percent,
  subtract,
  units,
  worstPrice,
} from "../js/money.js";

const plain = (text) => text.replaceAll(/[\u202f\u00a0]/g, " ");

// local is how the locale of this machine writes a number, with so many decimals.
const local = (text, decimals) =>
  plain(
    new Intl.NumberFormat(undefined, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(text),
  );

test("decimals survive exactly, also beyond what floats hold", () => {
  for (const text of ["0.000001", "9007199254740993.000001", "-12.500000", "123456789012345678901234.567890"]) {
    assert.equal(decimal(units(text)), text);
  }
  assert.equal(add("0.1", "0.2"), "0.300000");
  assert.equal(subtract("1", "0.000001"), "0.999999");
});

test("what is no decimal is refused", () => {
  for (const text of ["", "NaN", "1e3", "0.0000001", ".5", "1.", "1,5", " 1"])
    assert.throws(() => units(text), RangeError, text);
  assert.equal(units("0.5000000"), 500000n, "zeros at the end add nothing");
});

test("comparison tells prices apart that differ in the twelfth place", () => {
  assert.equal(compare("0.622459331202", "0.622459331201"), 1);
  assert.equal(compare("0.5", "0.500000000000"), 0);
  assert.equal(compare("0.3", "0.30000000001"), -1);
});

test("a chance has one decimal and no false certainty", () => {
  const cases = {
    "0": "0 %",
    "1": "100 %",
    "0.000000000001": "<1 %",
    "0.009999999999": "<1 %",
    "0.01": `${local("1", 1)} %`,
    "0.622459331202": `${local("62.2", 1)} %`,
    "0.99": `${local("99", 1)} %`,
    "0.990000000001": ">99 %",
    "0.999999999999": ">99 %",
  };
  for (const [price, want] of Object.entries(cases)) assert.equal(plain(percent(price)), want, price);
});

test("credits have two decimals and separators, exactly rounded", () => {
  assert.equal(plain(credits("1240.005")), `¤ ${local("1240.01", 2)}`);
  assert.equal(plain(exactCredits("9007199254740993.000001")), `¤ ${local("9007199254740993.000001", 6)}`);
  assert.equal(plain(counted(1, "person", "people")), "1 person");
  assert.equal(plain(counted(1200, "person", "people")), `${local("1200", 0)} people`);
});

test("a change has a direction that does not need colour", () => {
  assert.deepEqual(Object.values(change("0.5", "0.531")).map(plain), ["up", `▲ ${local("3.1", 1)}`]);
  assert.deepEqual(Object.values(change("0.5", "0.4")).map(plain), ["down", `▼ ${local("10", 1)}`]);
  assert.equal(change("0.5", "0.5004").direction, "none");
  assert.equal(change("0.5", "0.5005").direction, "up");
});

test("what somebody has is never shown as more than it is", () => {
  const cases = JSON.parse(readFileSync(new URL("held.json", import.meta.url))); // static/figures_test.go runs them too
  for (const [amount, want] of Object.entries(cases)) {
    assert.equal(plain(held(amount)), want.startsWith("<") ? `<${local("0.01", 2)}` : local(want, 2), amount);
  }
});

test("the worst price promises no more room than there is", () => {
  assert.equal(worstPrice("buy", "0.64", 50), "0.643200000000");
  assert.equal(worstPrice("sell", "0.64", 50), "0.636800000000");
  assert.equal(worstPrice("buy", "0.000000000001", 50), "0.000000000001");
  assert.equal(worstPrice("sell", "0.000000000001", 50), "0.000000000001");
  assert.equal(worstPrice("buy", "0.64", 0), "0.640000000000");
});
