import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAmount, typeable } from "../js/numbers.js";

const LOCALES = ["en-US", "de-DE", "de-CH", "en-IN", "fr-FR", "de-AT", "es-ES", "pl-PL", "ar-EG", "sv-SE"];

test("amounts are read as the locale writes them", () => {
  const cases = {
    "en-US": {
      "10": "10",
      "010": "10",
      " 2.50 ": "2.50",
      ".5": "0.5",
      "5.": "5",
      "1,000": "1000",
      "1,234,567.25": "1234567.25",
      "0.125": "0.125",
    },
    "de-DE": {
      "2,5": "2.5",
      "1,125": "1.125",
      "1.000": "1000",
      "1.234,5": "1234.5",
      "0,125": "0.125",
      ",5": "0.5",
      "1.234.567,25": "1234567.25",
    },
    "de-CH": { "1’000": "1000", "1'000.5": "1000.5", "1’234’567.25": "1234567.25", "0.125": "0.125" },
    "en-IN": {
      "1,00,000": "100000",
      "12,34,567.5": "1234567.5",
      "100,000": "100000",
      "1,000": "1000",
      "0.125": "0.125",
    },
    "fr-FR": { "1\u202f234,5": "1234.5", "1 234,5": "1234.5", "1\u00a0234": "1234", "0,125": "0.125" },
    "ar-EG": { "١٬٢٣٤٫٥": "1234.5", "12": "12" },
  };
  for (const [locale, amounts] of Object.entries(cases)) {
    for (const [typed, want] of Object.entries(amounts))
      assert.deepEqual(parseAmount(typed, locale), { value: want }, `${typed} in ${locale}`);
  }
});

test("what could mean something else is refused, and told how to write it", () => {
  const cases = {
    "en-US": [
      "0,500",
      "1,5",
      "1..5",
      "10.5.0",
      "1,0000",
      "1.234,5",
      "1,00,000",
      "1 00",
      "010,000",
      "1,000,00",
      ",000",
      "1,",
      "1 000,000",
      "--1",
      "-1",
      "1e5",
      "NaN",
      "abc",
      ".",
    ],
    "de-DE": ["0.125", "1.5", "1..5", "10.5.0", "1,5,0", "1.0000", "1,234.5", "0.500,5", "10,5.0", "1.125.5"],
    "de-CH": ["1,5", "1’00", "0’500", "1..5", "10.5.0", "1'0000"],
    "en-IN": ["0,500", "1,0,000", "1,00,00", "1..5", "10.5.0", "1.00.000"],
    "fr-FR": ["1.5", "0\u202f500", "1\u202f23", "1,,5", "10,5,0", "1 2345"],
  };
  for (const [locale, amounts] of Object.entries(cases)) {
    const example = new Intl.NumberFormat(locale, { useGrouping: "always" }).format(1234.5);
    for (const typed of amounts) {
      const { value, error } = parseAmount(typed, locale);
      assert.equal(value, undefined, `${typed} in ${locale}`);
      assert.ok(error.includes(example), `${typed} in ${locale}: ${error}`);
    }
  }
});

test("amounts that cannot be say why; nothing typed says nothing", () => {
  assert.deepEqual(parseAmount("  ", "en-US"), {});
  for (const typed of ["0", "0.0000001", "9".repeat(30)]) assert.match(parseAmount(typed, "en-US").error, /\.$/, typed);
  assert.deepEqual(parseAmount("0", "en-US", { zero: true }), { value: "0" });
});

test("what the page fills in is read back as it was", () => {
  for (const locale of LOCALES) {
    for (const amount of ["1.125", "0.125", "1000.5", "123456.789", "0.000001", "1000", "500", "982404"]) {
      assert.equal(
        parseAmount(typeable(`${amount}${amount.includes(".") ? "" : ".000000"}`, locale), locale).value,
        amount,
        `${amount} in ${locale}`,
      );
    }
  }
});

test("what a locale shows, it reads", () => {
  for (const locale of LOCALES) {
    for (const amount of ["0.5", "12.25", "1234.5", "123456.75", "1234567.125"]) {
      assert.equal(
        parseAmount(new Intl.NumberFormat(locale, { maximumFractionDigits: 6 }).format(amount), locale).value,
        amount,
        `${amount} in ${locale}`,
      );
    }
  }
});
