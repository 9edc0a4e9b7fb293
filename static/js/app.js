// What every page runs: components attach themselves to what the server drew. What a page has
// besides is in pages/.
import { refresh, watch } from "./components/account_menu.js";
import "./components/feed_badge.js";
import "./components/market_price.js";
import "./components/notification_bell.js";
import "./components/theme_toggle.js";
import "./components/ticker_strip.js";
import "./forms.js";
import { start as startKeys } from "./keys.js";
import { feed, store } from "./live.js";

startKeys();
feed.start();
watch();
if (store.state.account) refresh();
