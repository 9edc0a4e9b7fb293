// The page's one store and one feed, and what the server embedded in the page.
import { nextFrame } from "./dom.js";
import { Feed } from "./feed.js";
import { Store } from "./store.js";

export const page = JSON.parse(document.getElementById("state")?.textContent || "{}");

export const store = new Store({ schedule: nextFrame });

export const feed = new Feed({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`,
  onFrame: (frame) => store.dispatch(frame),
  onStatus: (status) => store.dispatch({ op: "status", feed: status }),
});

export const isLive = () => store.state.feed.state === "live";

// follow puts markets into the store and keeps them fresh.
export function follow(markets) {
  store.dispatch({ op: "markets", markets });
  for (const { slug } of markets) {
    const { version, cursor } = store.state.markets[slug].state;
    feed.subscribe(slug, { seq: version, cursor });
  }
}

// watchMarket calls back with {state, tape, broken} of one market.
export const watchMarket = (slug, callback) => store.watch((s) => s.markets[slug], callback);

// The page works from what the server embedded; the socket only makes it fresher.
if (page.account !== undefined) store.dispatch({ op: "account", account: page.account });
if (page.market) follow([page.market]);
if (page.trades) store.dispatch({ op: "tape", market: page.market.slug, events: [...page.trades].reverse() });
if (page.markets) follow(page.markets);
