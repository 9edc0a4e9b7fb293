import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

// What is looked up by a word of somebody's (a slug, an outcome, a handle, a category) is a Map, or a
// JSON object that is asked by own(): an object has a constructor, a toString and a __proto__ from the
// start. These are the objects that are looked up by words of our own, and what the server always fills.
const ours = new Set([
  "reducers",
  "frame",
  "event",
  "words",
  "shows",
  "REST",
  "WAITING",
  "advice",
  "MOVES",
  "RANGES",
  "MARKED",
  "stateWords",
  "happened",
  "table",
  "effects",
  "DASHES",
  "globalThis",
  "body",
  "ways",
  "answer",
  "this.actions",
  "this.filter",
  "own",
  "object",
  "WORDS",
]);
const numbers = /^(\d+|[ijk]|at|index|first|last|next|i - 1|.*indexOf\(.*|at < 0.*|this\.at)$/;

// Prices have an entry for each outcome, of its own: that is how JSON is read.
const filled = /(^|\.)prices$/;

test("no object is looked up by a word of somebody's", () => {
  const found = [];
  const files = readdirSync(new URL("../js", import.meta.url), { recursive: true }).filter((name) =>
    name.endsWith(".js"),
  );
  assert.ok(files.length > 30);
  for (const name of files) {
    const code = readFileSync(new URL(`../js/${name}`, import.meta.url), "utf8")
      .replace(/^\s*\/\/.*$/gm, "")
      .replace(/\]=|\[[a-z-]+[=\]]|\[\^?[^\]\n]*\]\+?\/|\/[^/\n]*\[[^/\n]*\/[a-z]*/g, "");
    for (const [all, named, optional, key] of code.matchAll(/([\w$.)]+)(\?\.)?\[([^\][]+)\]/g)) {
      const object = named.replace(/^\.+/, "");
      if (/^["'`\d]/.test(key) || numbers.test(key) || ours.has(object)) continue;
      if (!optional && filled.test(object)) continue;
      found.push(`${name}: ${all}`);
    }
    for (const [all] of code.matchAll(/\b(markets|positions|known|drawn|rows)\.(rain|constructor)\b/g))
      found.push(`${name}: ${all}`);
  }
  assert.deepEqual(found, []);
});
