import { listMarkets } from "../api.js";
import "../components/engineer_corner.js";
import "../components/market_chart.js";
import "../components/market_desk.js";
import "../components/market_part.js";
import "../components/market_position.js";
import "../components/market_rules.js";
import "../components/market_summary.js";
import "../components/market_tabs.js";
import "../components/market_tape.js";
import "../components/trade_bar.js";
import "../components/trade_ticket.js";
import { follow } from "../live.js";

const OTHERS = 30;

// followOthers fills the ticker of a market's page with what happens elsewhere.
async function followOthers() {
  const { markets } = await listMarkets({ status: "open" });
  follow(markets.slice(0, OTHERS));
}

followOthers().catch(() => {}); // the page does without
