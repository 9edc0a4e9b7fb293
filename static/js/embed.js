// What an embedded card runs: its prices stay live, and its badge says so.
import "./components/feed_badge.js";
import "./components/market_price.js";
import { feed } from "./live.js";

feed.start();
