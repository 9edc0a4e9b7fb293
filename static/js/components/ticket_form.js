// The ticket's form, built once: fields and buttons, wired to the element that owns them.
import { h } from "../dom.js";
import { CREDIT } from "../money.js";
import { colourClass, isBinary, label } from "../outcomes.js";

const TOLERANCES = [
  [0, "none"],
  [10, "0.1 %"],
  [50, "0.5 %"],
  [100, "1 %"],
  [200, "2 %"],
  [500, "5 %"],
];

// build returns the parts that change later, by name.
export function build(ticket) {
  const { market } = ticket;
  const sides = group(
    "Side",
    "ticket-sides",
    ["buy", "sell"].map((side) =>
      h(
        "button",
        { type: "button", "data-testid": "ticket-side", "data-side": side, onclick: () => ticket.choose({ side }) },
        side === "buy" ? "Buy" : "Sell",
      ),
    ),
  );
  const outcomes = group(
    "Outcome",
    `ticket-outcomes${isBinary(market) ? " two" : ""}`,
    market.outcomes.map((outcome) =>
      h(
        "button",
        {
          type: "button",
          class: `outcome-button ${colourClass(market, outcome)}`,
          "data-testid": "ticket-outcome",
          "data-outcome": outcome,
          onclick: () => ticket.choose({ outcome }),
        },
        h("span", { dir: "auto" }, label(outcome)),
        h("span", { class: "num" }),
      ),
    ),
  );
  const unit = (name, words, title) =>
    h("button", { type: "button", "data-unit": name, title, onclick: () => ticket.choose({ unit: name }) }, words);
  const units = group("Amount in", "segments ticket-units", [
    unit("spend", CREDIT, "Say how much to spend"),
    unit("shares", "Shares", "Say how many shares"),
  ]);
  const amountLabel = h("label", { for: "ticket-amount" });
  const amount = h("input", {
    id: "ticket-amount",
    class: "num",
    type: "text",
    inputmode: "decimal",
    autocomplete: "off",
    "data-testid": "ticket-amount",
    "aria-describedby": "ticket-amount-error",
    oninput: () => ticket.type(amount.value),
    onfocus: () => amount.select(),
  });
  const amountError = h("p", { class: "field-error", id: "ticket-amount-error" });
  const holding = h("span", { class: "ticket-holding num" });
  const chip = (words, run) => h("button", { type: "button", class: "chip num", onclick: run }, words);
  const chips = h(
    "div",
    { class: "chips" },
    h(
      "div",
      { "data-chips": "spend" },
      ["1", "5", "10", "50"].map((n) => chip(n, () => ticket.fill(n))),
      chip("Max", () => ticket.spendAll()),
    ),
    h(
      "div",
      { "data-chips": "shares" },
      ["1", "10", "50", "100"].map((n) => chip(n, () => ticket.fill(n))),
    ),
    h(
      "div",
      { "data-chips": "sell" },
      chip("25 %", () => ticket.sellPart(25)),
      chip("50 %", () => ticket.sellPart(50)),
      chip("Sell all", () => ticket.sellPart(100)),
    ),
  );
  // Of what there is to spend, or to sell, in hundredths; by squares when spending, since most orders are small.
  const slider = h("input", {
    type: "range",
    class: "ticket-slider",
    min: 0,
    max: 100,
    "aria-label": "Amount, as a part of what you have",
    "data-testid": "ticket-slider",
    oninput: () => ticket.slide(Number(slider.value)),
  });
  const quote = h("dl", { class: "quote", "data-testid": "ticket-quote" });
  const slippage = h(
    "label",
    { class: "slippage" },
    h("span", {}, "Slippage allowed"),
    h(
      "select",
      { class: "select num", onchange: (e) => ticket.setSlippage(Number(e.target.value)) },
      TOLERANCES.map(([bps, words]) => h("option", { value: bps, selected: bps === ticket.bps }, words)),
    ),
  );
  const message = h("div", { class: "ticket-message" });
  const submit = h("button", { class: "submit num", type: "submit", "data-testid": "ticket-submit" });
  const state = h("p", { class: "ticket-state num", "data-testid": "ticket-state" });
  const close = h(
    "button",
    { class: "icon-button sheet-close", type: "button", "aria-label": "Close", onclick: () => ticket.closeSheet() },
    "✕",
  );
  const onsubmit = (event) => {
    event.preventDefault();
    ticket.submit();
  };
  const form = h(
    "form",
    { class: "ticket-form", autocomplete: "off", onsubmit },
    h("div", { class: "ticket-top" }, sides, close),
    outcomes,
    h(
      "div",
      { class: "ticket-amount" },
      h("div", { class: "ticket-amount-head" }, amountLabel, holding, units),
      amount,
      amountError,
      slider,
      chips,
    ),
    quote,
    slippage,
    message,
    submit,
    state,
  );
  const closed = h("p", { class: "ticket-closed", hidden: true }, "This market takes no orders now.");
  return {
    form,
    closed,
    sides,
    outcomes,
    units,
    amountLabel,
    amount,
    amountError,
    holding,
    slider,
    chips,
    quote,
    slippage,
    message,
    submit,
    state,
    scrim: h("div", { class: "scrim" }),
  };
}

const group = (title, classes, children) => h("div", { class: classes, role: "group", "aria-label": title }, children);
