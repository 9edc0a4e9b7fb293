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

// A link that lets somebody in has its secret behind the #, which no server, proxy or history of addresses
// is told: it goes on as a form.
const [, secret, value] = /^#(link|invite)=(.+)$/.exec(location.hash) ?? [];
if (value && ["/signin", "/signup"].includes(location.pathname)) {
  history.replaceState(null, "", location.pathname + location.search);
  const form = Object.assign(document.createElement("form"), { method: "post", hidden: true });
  form.append(Object.assign(document.createElement("input"), { name: secret, value: decodeURIComponent(value) }));
  document.body.append(form);
  form.submit();
}
