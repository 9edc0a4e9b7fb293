import assert from "node:assert/strict";
import { test } from "node:test";
import { live } from "./harness.js";

test("a market that does not exist is forgotten, the others go on", () => {
  const t = live();
  t.feed.subscribe("nothing");
  t.receive({ op: "error", code: "not_found", message: "no such market", market: "nothing" });
  t.beat({ rain: 10 });
  assert.equal(t.status.state, "live");
  assert.equal(t.errors.length, 1);
});

test("a market that is not read now is asked for again, once and in a while", () => {
  const t = live({ random: () => 0 });
  t.feed.subscribe("busy");
  for (const code of ["too_many_requests", "invalid_request"])
    t.receive({ op: "error", code, message: "later", market: "busy" });
  const asked = (seconds) => {
    t.last().sent = [];
    for (let i = 0; i < seconds; i++) t.clock.pass(1_000), t.beat({ rain: 10 });
    return t.last().sent;
  };
  assert.deepEqual(asked(4), []);
  assert.deepEqual(asked(6), [{ op: "subscribe", market: "busy", mode: "tape" }]);
});
