// Names, colours and the leading outcome of a market: two outcomes or twenty.
import { compare } from "./money.js";
import { now } from "./time.js";

const COLOURS = 8;

export const isBinary = (market) => market.outcomes.length === 2;

// EACH stands for complete sets: one share of each outcome, at exactly 1.
export const EACH = "*";

const WORDS = { yes: "Yes", no: "No", [EACH]: "of each" };

// own is what a JSON object has under a word of people's, undefined if nothing: objects inherit more words.
export const own = (object, word) => (object && Object.hasOwn(object, word) ? object[word] : undefined);

// RIGHT_TO_LEFT is the letters that turn the direction of what they stand in.
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

// label is an outcome as people write it. One from right to left is isolated, lest it carry the words
// and numbers around it along.
export function label(outcome) {
  const known = own(WORDS, outcome);
  if (known) return known;
  return RIGHT_TO_LEFT.test(outcome) ? `\u2068${outcome}\u2069` : outcome;
}

// slot gives each outcome of a market its colour (0…7) and line (0 solid, then kinds of dashes: chart.js).
// Yes is always blue and No orange, whichever comes first.
export function slot(market, outcome) {
  if (outcome === EACH) return { colour: "-each", line: 0 };
  const swapped = isBinary(market) && market.outcomes[0] === "no" && market.outcomes[1] === "yes";
  const index = market.outcomes.indexOf(outcome);
  const place = swapped ? 1 - index : index;
  return { colour: place % COLOURS, line: Math.floor(place / COLOURS) };
}

// colourClass is the class that sets --oc, and with it everything coloured, to the outcome's.
export const colourClass = (market, outcome) => `oc${slot(market, outcome).colour}`;

// leader is the outcome that stands for its market in a list: the first of two, else the likeliest.
export function leader(market) {
  if (isBinary(market)) return market.outcomes.includes("yes") ? "yes" : market.outcomes[0];
  return market.outcomes.reduce((best, o) => (compare(market.prices[o], market.prices[best]) > 0 ? o : best));
}

// byPrice is the outcomes, likeliest first; those of equal price as the market has them.
export const byPrice = (market) => [...market.outcomes].sort((a, b) => compare(market.prices[b], market.prices[a]));

// tradable tells whether an order has a chance: the server may still refuse it.
export function tradable(market, at = now()) {
  return market.status === "open" && !(market.closes_at && Date.parse(market.closes_at) <= at);
}

// endedAt is when a market came to its end, in epoch milliseconds; null while it has none.
export function endedAt(market) {
  return ["resolved", "void"].includes(market.status) ? Date.parse(market.resolved_at ?? market.updated_at) : null;
}
