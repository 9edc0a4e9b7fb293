// Making a market: an address from the question, and what the liquidity means, while one types.
import { getMarketPreview } from "../api.js";
import { $, $$, text } from "../dom.js";
import { credits, percent } from "../money.js";
import { parseAmount, typeable } from "../numbers.js";
import { addressOf } from "../slug.js";

const TYPING = 200;
const form = $("#new-market");
const { question, slug, liquidity, outcomes } = form.elements;
const slider = $("#liquidity-slider");
const field = $("#outcomes-field");

// An address that was typed stays as it is.
let own = false;
slug.addEventListener("input", () => (own = slug.value !== ""));
question.addEventListener("input", () => {
  if (!own) slug.value = addressOf(question.value);
});

for (const choice of $$("[data-outcomes]", form)) {
  choice.addEventListener("change", () => {
    field.hidden = outcomes.disabled = choice.dataset.outcomes === "2";
    if (!field.hidden) outcomes.focus();
    later();
  });
}

// The slider goes from 1 to 100,000 by equal factors.
slider.addEventListener("input", () => {
  const exact = 10 ** (slider.value / 20);
  liquidity.value = typeable(String(Number(exact.toPrecision(2))));
  later();
});
liquidity.addEventListener("input", () => {
  const { value, error } = parseAmount(liquidity.value);
  liquidity.setCustomValidity(error ?? "");
  if (value) slider.value = 20 * Math.log10(Number(value));
  later();
});
outcomes.addEventListener("input", () => later());

let timer;
function later() {
  clearTimeout(timer);
  timer = setTimeout(preview, TYPING);
}

const shown = { subsidy: credits, price_before: percent, price_after: percent };

async function preview() {
  const count = outcomes.disabled ? 2 : outcomes.value.split("\n").filter((line) => line.trim()).length;
  const { value: asked } = parseAmount(liquidity.value);
  if (!asked) return;
  try {
    const answer = await getMarketPreview({ outcomes: Math.max(2, count), liquidity: asked, spend: 10 });
    if (asked !== parseAmount(liquidity.value).value) return;
    for (const [name, say] of Object.entries(shown)) text($(`[data-preview=${name}]`), say(answer[name]));
    liquidity.setCustomValidity("");
  } catch (problem) {
    if (problem.status) liquidity.setCustomValidity(problem.message);
  }
}

text(
  $("#zone"),
  `In your time zone, ${Intl.DateTimeFormat().resolvedOptions().timeZone}. Left empty, it closes when somebody closes it.`,
);
