// What the ticket says: pure functions from its model to words and nodes. The element in
// trade_ticket.js decides where they go and what a click does.
import { h } from "../dom.js";
import {
  cents,
  change,
  credits,
  exactCents,
  exactCredits,
  exactPercent,
  exactShares,
  held,
  integer,
  percent,
  shares,
  subtract,
  units,
  worstPrice,
} from "../money.js";
import { label } from "../outcomes.js";

const LARGE_IMPACT = units("0.05", 12);

// quoteLines is what an order would do, as [name, value, exact value, class] lines.
export function quoteLines(form, quote, { bps, has }) {
  const after = change(quote.price_before, quote.price_after);
  const moved = units(quote.price_after, 12) - units(quote.price_before, 12);
  const large = (moved < 0n ? -moved : moved) > LARGE_IMPACT;
  const price = [
    "Price impact",
    `${percent(quote.price_before)} → ${percent(quote.price_after)}  ${after.text}`,
    `${exactPercent(quote.price_before)} → ${exactPercent(quote.price_after)}`,
    large ? "warn" : "",
  ];
  const average = ["Average price", cents(quote.avg_price), exactPercent(quote.avg_price)];
  const worst = [
    form.side === "buy" ? "At most" : "At least",
    `${cents(worstPrice(form.side, quote.avg_price, bps))} a share`,
    exactPercent(worstPrice(form.side, quote.avg_price, bps)),
  ];
  if (form.side === "sell") {
    return [
      ["You receive", credits(quote.amount), exactCredits(quote.amount), "strong"],
      average,
      price,
      worst,
      ...(has
        ? [["You keep", `${held(subtract(has, quote.shares))} shares`, exactShares(subtract(has, quote.shares))]]
        : []),
    ];
  }
  return [
    ["Shares", shares(quote.shares), exactShares(quote.shares), "strong"],
    ["Cost", credits(quote.amount), exactCredits(quote.amount)],
    average,
    price,
    worst,
    [`Pays if ${label(form.outcome)}`, credits(quote.shares), exactCredits(quote.shares), "strong"],
  ];
}

// orderWords is the button: exactly what will happen.
export function orderWords({ outcome, side }, quote) {
  const what = `${shares(quote.shares)} ${label(outcome)}`;
  return side === "buy" ? `Buy ${what} for ${credits(quote.amount)}` : `Sell ${what} for ${credits(quote.amount)}`;
}

// stateWords is the line under the button, for each state.
export const stateWords = {
  idle: () => "",
  quoting: () => "Getting a quote…",
  ready: ({ quote }) => `Quoted at v${quote.version}`,
  sending: () => "Sending…",
  unknown: () => "Finding out…",
  stale: () => "Nothing was traded",
  refused: () => "Nothing was traded",
  filled: ({ receipt }) => `Filled at v${receipt.version}`,
};

const advice = {
  insufficient_funds: "Try a smaller amount.",
  insufficient_shares: "You can sell only what you hold. To bet against this outcome, buy another.",
  market_not_open: "This market takes no orders right now.",
  deadline_passed: "The order took too long to arrive, so it was not made.",
  idempotency_mismatch: "Please make the order again.",
  not_signed_in: "Choose a handle first.",
};

// message is the box above the button: what happened, and the ways to go on.
export function message(model, act) {
  switch (model.state) {
    case "stale":
      return staleBox(model, act);
    case "refused":
      return box(
        "refused",
        "alert",
        h("strong", {}, refusal(model.problem)),
        h("p", {}, hint(model.problem)),
        h("div", { class: "box-actions" }, button("OK", act.cancel)),
      );
    case "unknown":
      return box(
        "unknown",
        "status",
        h("strong", {}, "The connection broke while sending."),
        h("p", {}, "Asking what became of your order, under the same key: it can be made once at most."),
      );
    case "filled":
      return receiptBox(model.receipt, act);
    default:
      return null;
  }
}

function staleBox({ form, was, quote, order }, act) {
  const verb = form.side === "buy" ? "Buy" : "Sell";
  const before = was?.avg_price ?? order?.body.expected_price;
  return box(
    "stale",
    "alert",
    h("strong", {}, "The price moved"),
    h(
      "p",
      { class: "num" },
      before
        ? `It was ${cents(before)} a share and is ${cents(quote.avg_price)} now.`
        : `It is ${cents(quote.avg_price)} now.`,
    ),
    h("p", { class: "num" }, `${shares(quote.shares)} ${label(form.outcome)} for ${credits(quote.amount)}.`),
    h(
      "div",
      { class: "box-actions" },
      h(
        "button",
        { class: "button oc-button num", type: "button", "data-testid": "ticket-requote", onclick: act.requote },
        `${verb} at ${cents(quote.avg_price)}`,
      ),
      button("Cancel", act.cancel),
    ),
  );
}

// receiptBox leaves a place for the offer to go back, which has to be asked for first.
function receiptBox(receipt, act) {
  const line = (name, value) => h("div", {}, h("dt", {}, name), h("dd", { class: "num" }, value));
  const verb = receipt.side === "buy" ? "Bought" : "Sold";
  return h(
    "div",
    { class: "box box-filled", "data-testid": "ticket-receipt" },
    h(
      "strong",
      {},
      `${verb} ${shares(receipt.shares)} ${label(receipt.outcome)}`,
      receipt.replayed ? " (made before, not again)" : "",
    ),
    h(
      "dl",
      { class: "receipt" },
      line("Shares", exactShares(receipt.shares)),
      line(receipt.side === "buy" ? "Paid" : "Received", exactCredits(receipt.amount)),
      line("Average", exactCents(receipt.avg_price)),
      line("Version", `v${integer(receipt.version)}`),
      receipt.balance !== undefined && line("Balance", exactCredits(receipt.balance)),
    ),
    h(
      "div",
      { class: "box-actions" },
      receipt.back && button(receipt.back.words, act.back),
      button("Done", act.cancel),
    ),
  );
}

const box = (kind, role, ...children) => h("div", { class: `box box-${kind}`, role }, ...children);
const button = (words, onclick) => h("button", { class: "button", type: "button", onclick }, words);

const refusal = (problem) => problem?.message || "The order was refused.";
const hint = (problem) => problem?.hint || advice[problem?.code] || "";

// announcement is what a screen reader hears of a state.
export function announcement(model) {
  if (model.state === "filled") {
    const { side, shares: count, outcome, amount } = model.receipt;
    return `${side === "buy" ? "Bought" : "Sold"} ${shares(count)} ${label(outcome)} for ${credits(amount)}.`;
  }
  if (model.state === "unknown") return "The connection broke. Finding out what became of your order.";
  return null; // stale and refused are alerts of their own
}
