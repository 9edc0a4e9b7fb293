// What selling a whole holding of a market would bring, the shares of all its outcomes together: as
// pgtape_core.holding_value, to the micro. It starts from the shares outstanding, which are exact:
// prices as they are shown say nothing of what is left of one that shows as 0. docs/glossary.md.
import { decimal, units } from "./money.js";
import { own } from "./outcomes.js";

const ONE = 10n ** 50n;
const HALVINGS = 16n;
const SMALLEST = -97n * ONE; // exp of it is no part of 40 decimals

function exp(x) {
  if (x < SMALLEST) return 0n;
  const part = x >> HALVINGS;
  let [sum, term] = [ONE, ONE];
  for (let n = 1n; term !== 0n; n++) {
    term = (term * part) / (ONE * n);
    sum += term;
  }
  for (let i = 0n; i < HALVINGS; i++) sum = (sum * sum) / ONE;
  return sum;
}

// ln of what lies between 1 and the number of outcomes: a float's guess, and one step of Halley's.
function ln(y) {
  const guess = BigInt(Math.round(Math.log(Number(y) / 1e50) * 1e15)) * 10n ** 35n;
  const reached = exp(guess);
  return guess + (2n * ONE * (y - reached)) / (y + reached);
}

const most = (list) => list.reduce((a, b) => (b > a ? b : a));
const least = (list) => list.reduce((a, b) => (b < a ? b : a));

// cost is C(q), in micros of ONE.
function cost(q, b) {
  const top = most(q);
  return top * ONE + b * ln(q.reduce((sum, n) => sum + exp(((n - top) * ONE) / b), 0n));
}

// holdingValue is what a holding, a Map of outcome to {shares}, would bring, or has brought.
export function holdingValue(market, holding) {
  const held = market.outcomes.map((o) => units(holding.get(o)?.shares ?? "0"));
  if (market.payout)
    return decimal(
      held.reduce((sum, n, i) => sum + n * units(own(market.payout, market.outcomes[i])), 0n) / 1_000_000n,
    );
  const [fewest, largest] = [least(held), most(held)];
  if (fewest === largest) return decimal(fewest); // complete sets, or nothing
  const q = market.outcomes.map((o) => units(own(market.outstanding, o)));
  const b = units(market.liquidity);
  // The last term is what 40 decimals cannot tell: the amount may be exact.
  const micros =
    (cost(q, b) -
      cost(
        q.map((n, i) => n - held[i]),
        b,
      ) +
      b * 10n ** 14n) /
    ONE;
  return decimal(most([fewest, least([micros, largest - 1n])]));
}
