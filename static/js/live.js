// The page's one store and one feed, and what the server embedded in the page.
import { keep, kept, nextFrame } from "./dom.js";
import { Feed } from "./feed.js";
import { Store } from "./store.js";
import { goBy } from "./time.js";

const PATIENCE = 2_000;

export const page = JSON.parse(document.getElementById("state")?.textContent || "{}");

export const store = new Store({ schedule: nextFrame });

export const feed = new Feed({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`,
  onFrame: (frame) => store.dispatch(frame),
  onStatus: (status) => store.dispatch({ op: "status", feed: status }),
});

// What Back brings out of the browser's memory says what the time was then.
const [visit] = performance.getEntriesByType("navigation");
if (page.now && visit && visit.type !== "back_forward") feed.hear(page.now, visit.responseStart);
goBy(() => feed.serverNow());

export const isLive = () => store.state.feed.state === "live";

// follow puts markets into the store and keeps them fresh. A page out of the browser's memory may
// be older than what its reader has done since: that is caught up with first.
export function follow(markets) {
  store.dispatch({ op: "markets", markets });
  for (const { slug } of markets) {
    const { version, cursor } = store.state.markets.get(slug).state;
    feed.subscribe(slug, { cursor });
    const own = kept("sessionStorage", made(slug));
    if (own > version) feed.reach(slug, own);
  }
}

const made = (slug) => `made ${slug}`;

// hasMade waits, for a while, until the page has what its reader has done: a version of a market.
export function hasMade(slug, version) {
  keep("sessionStorage", made(slug), version);
  return Promise.race([feed.reach(slug, version), new Promise((go) => setTimeout(go, PATIENCE))]);
}

// Watching is an element that watches the store for as long as it is on the page. Of its own market
// it hears as {state, tape, broken}.
export class Watching extends HTMLElement {
  ends = [];

  watch(select, callback) {
    this.ends.push(store.watch(select, callback));
  }

  watchMarket(callback) {
    this.watch((s) => s.markets.get(this.dataset.market), callback);
  }

  every(milliseconds, callback) {
    const timer = setInterval(callback, milliseconds);
    this.ends.push(() => clearInterval(timer));
  }

  disconnectedCallback() {
    for (const end of this.ends.splice(0)) end();
  }
}

// The page works from what the server embedded; the socket only makes it fresher.
if (page.account !== undefined) store.dispatch({ op: "account", account: page.account });
if (page.market) follow([page.market]);
if (page.trades) store.dispatch({ op: "tape", market: page.market.slug, events: [...page.trades].reverse() });
if (page.markets) follow(page.markets);
