// Decimals arrive as strings and stay exact: BigInt units decide, Intl only displays.
// Credits and shares have 6 decimals ("micros"), prices 12.

const THIN = "\u202f"; // narrow no-break space
export const CREDIT = "¤";

// units turns a decimal string into an integer of 10^-scale. It throws a RangeError on
// anything that is not a plain decimal, or has more decimals than the scale holds.
export function units(text, scale = 6) {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  const fraction = (match?.[3] ?? "").replace(/0+$/, "");
  if (!match || fraction.length > scale) throw new RangeError(`not a decimal: ${text}`);
  const value = BigInt(match[2] + fraction.padEnd(scale, "0"));
  return match[1] ? -value : value;
}

// decimal is the inverse of units, with all decimals of the scale.
export function decimal(value, scale = 6) {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, -scale);
  return `${value < 0n ? "-" : ""}${whole}.${digits.slice(-scale)}`;
}

export const add = (a, b) => decimal(units(a) + units(b));
export const subtract = (a, b) => decimal(units(a) - units(b));
export const isPositive = (text) => units(text) > 0n;

// compare orders two decimals of up to 12 places: -1, 0 or 1.
export function compare(a, b) {
  const [x, y] = [units(a, 12), units(b, 12)];
  return x < y ? -1 : x > y ? 1 : 0;
}

// worstPrice is the dearest average a buy may fill at, or the cheapest of a sale, given a
// tolerance in basis points; rounded inwards, so that it never promises too much room.
export function worstPrice(side, price, bps) {
  const exact = units(price, 12) * BigInt(side === "buy" ? 10000 + bps : 10000 - bps);
  return decimal((exact + (side === "buy" ? 0n : 9999n)) / 10000n, 12);
}

const formats = new Map();

function format(text, min, max) {
  const key = `${min}.${max}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat(undefined, { minimumFractionDigits: min, maximumFractionDigits: max }));
  }
  return formats.get(key).format(text);
}

// hundredfold is the decimal ×100, exactly.
const hundredfold = (text) => decimal(units(text, 12), 10);

// percent shows a price as a chance: one decimal, and no false certainty near the ends.
export function percent(price) {
  const p = units(price, 12);
  const one = 10n ** 12n;
  if (p > 0n && p < one / 100n) return `<1${THIN}%`;
  if (p < one && p > (one / 100n) * 99n) return `>99${THIN}%`;
  if (p === 0n || p === one) return `${format(hundredfold(price), 0, 0)}${THIN}%`;
  return `${format(hundredfold(price), 1, 1)}${THIN}%`;
}

export const exactPercent = (price) => `${format(hundredfold(price), 1, 10)}${THIN}%`;
export const exactCents = (price) => `${format(hundredfold(price), 1, 4)}${THIN}¢`;
export const cents = (price) => `${format(hundredfold(price), 1, 1)}${THIN}¢`;
export const credits = (text) => `${CREDIT}${THIN}${format(text, 2, 2)}`;
export const exactCredits = (text) => `${CREDIT}${THIN}${format(text, 6, 6)}`;
export const shares = (text) => format(text, 2, 2);
export const exactShares = (text) => format(text, 6, 6);

// held is what somebody has, in shares or credits: rounded down, since more than that cannot be sold
// or spent. static/figures.go has the same, and both read test/held.json.
export function held(text) {
  const micros = units(text);
  if (micros > 0n && micros < 10_000n) return `<${format("0.01", 2, 2)}`;
  return format(decimal(micros - (micros % 10_000n)), 2, 2);
}

export const heldCredits = (text) => `${CREDIT}${THIN}${held(text)}`;
export const integer = (n) => format(String(n), 0, 0);

export const counted = (n, one, many) => `${integer(n)}\u00a0${n === 1 ? one : many}`;

// roundCredits leaves out the decimals once they no longer matter.
export const roundCredits = (text) =>
  units(text) >= units("100") ? `${CREDIT}${THIN}${format(text, 0, 0)}` : credits(text);

// change describes the way from one price to another in points: direction "up", "down" or "none".
export function change(from, to) {
  const by = units(to, 12) - units(from, 12);
  const size = by < 0n ? -by : by;
  const text = format(decimal(size, 10), 1, 1);
  const direction = size < 5n * 10n ** 8n ? "none" : by > 0n ? "up" : "down";
  return {
    direction,
    text: direction === "none" ? `±${format("0", 1, 1)}` : `${direction === "up" ? "▲" : "▼"}${THIN}${text}`,
  };
}
