import assert from "node:assert/strict";
import { test } from "node:test";
import { csv } from "../js/csv.js";
import { addressOf } from "../js/slug.js";

test("an address is suggested from the words of any script", () => {
  const cases = {
    "Will it rain?": "will-it-rain",
    "Wird Müller Präsident": "wird-mueller-praesident",
    "Who's next?": "whos-next",
    "Gagnera-t-il à Noël ?": "gagnera-t-il-a-noel",
    "Станет ли Щукин президентом?": "stanet-li-shchukin-prezidentom",
    "Ποιος κερδίζει;": "poios-kerdizei",
    "Łódź i Straße": "lodz-i-strasse",
    "Пойдёт дождь": "poydyot-dozhd",
    "": "",
    "  ": "",
  };
  for (const [question, want] of Object.entries(cases)) assert.equal(addressOf(question), want, question);
  for (const question of ["明日は雨?", "האם ירד גשם?", "هل ستمطر؟", "ฝนจะตกไหม", "🌧️", "?!"])
    assert.match(addressOf(question), /^market-[a-z0-9]+$/, question);
  assert.notEqual(addressOf("明日は雨?"), addressOf("今日は雨?"));
  assert.equal(addressOf("明日 BTC 100k?"), "btc-100k");
  assert.match(addressOf("word ".repeat(40)), /^(word-)*word$/);
});

test("a file for spreadsheets holds no formulas, and plain decimals", () => {
  assert.equal(
    csv([
      ["at", "=1+1", '@"x"', "a,b"],
      ["t", (1.4e-11).toFixed(12)],
    ]),
    `at,'=1+1,"'@""x""","a,b"\r\nt,0.000000000014\r\n`,
  );
  assert.equal(csv([["＝1+1", "＋1", "－1", "＠x", "a＝b", "'t"]]), "'＝1+1,'＋1,'－1,'＠x,a＝b,'t\r\n");
});
