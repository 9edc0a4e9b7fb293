import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Clock, Server, settled } from "./harness.js";

// The client as somebody takes it along: the one file, with nothing beside it, not even a package.json.
const folder = await mkdtemp(join(tmpdir(), "pgtape-feed-"));
after(() => rm(folder, { recursive: true }));
await copyFile(new URL("../js/feed.js", import.meta.url), join(folder, "feed.mjs"));
const { Feed } = await import(join(folder, "feed.mjs"));

// start follows a market in a Node without sockets.
async function start(t, options) {
  const has = globalThis.WebSocket;
  delete globalThis.WebSocket; // Node before 22 has none
  t.after(() => has && (globalThis.WebSocket = has));
  const clock = new Clock();
  const server = new Server(clock);
  server.markets = { rain: { history: "aa", seq: 12 } };
  const seqs = [];
  const feed = new Feed({
    url: "ws://test/ws",
    clock,
    fetch: server.fetch,
    onFrame: (f) => seqs.push(f.seq),
    ...options,
  });
  t.after(() => feed.stop());
  feed.subscribe("rain", { cursor: "10.aa" });
  feed.start();
  await clock.live(2_000);
  await settled();
  return { seqs, state: feed.state() };
}

test("alone, and without sockets, it brings every event", async (t) => {
  const errors = [];
  const got = await start(t, { onError: (e) => errors.push(e.code) });
  assert.deepEqual(got, { seqs: [11, 12], state: { state: "live", reason: "polling" } });
  assert.deepEqual(errors, ["no_websocket"]);
});

test("that it can only poll is told whoever has asked for no errors", async (t) => {
  const { warn } = console;
  const said = [];
  console.warn = (text) => said.push(text);
  t.after(() => (console.warn = warn));
  await start(t, {});
  assert.equal(said.length, 1);
  assert.match(said[0], /^pgtape: no_websocket: .*it polls/);
});

test("a socket that is given is used", async (t) => {
  const opened = [];
  await start(t, { open: (url) => (opened.push(url), { send() {}, close() {} }) });
  assert.equal(opened[0], "ws://test/ws");
});
