// What every page runs: components attach themselves to what the server drew.
import { listMarkets } from "./api.js";
import { refresh, watch } from "./components/account_menu.js";
import "./components/feed_badge.js";
import "./components/market_price.js";
import "./components/theme_toggle.js";
import "./components/ticker_strip.js";
import { $ } from "./dom.js";
import { start as startKeys } from "./keys.js";
import { feed, follow, store } from "./live.js";

const OTHERS = 30;

if ($("market-list")) {
  await Promise.all([import("./components/market_list.js"), import("./components/market_spark.js")]);
}
if ($("main.market")) {
  await Promise.all(["chart", "position", "rules", "summary", "tabs", "tape"].map((name) => import(`./components/market_${name}.js`)));
  await Promise.all([import("./components/trade_ticket.js"), import("./components/trade_bar.js"), import("./components/engineer_corner.js")]);
}

// followOthers fills the ticker of a market's page with what happens elsewhere.
async function followOthers() {
  const { markets } = await listMarkets({ status: "open" });
  follow(markets.slice(0, OTHERS));
}

startKeys();
feed.start();
watch();
if (store.state.account) refresh();
if ($("main.market")) followOthers().catch(() => {}); // the page does without
