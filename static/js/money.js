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

// worth is shares × price in credits, rounded down as a payment is.
export function worth(shares, price) {
  return decimal((units(shares) * units(price, 12)) / 10n ** 12n);
}

// saleValue is what a market maker with liquidity b pays for shares at a price, all at once: selling
// moves the price, so it is less than their worth at that price. For display: floats do.
export function saleValue(shares, price, liquidity) {
  const [s, p, b] = [shares, price, liquidity].map(Number);
  const [rest, sold] = [Math.log1p(-p), Math.log(p) - s / b];
  const high = Math.max(rest, sold);
  return Math.max(0, -b * (high + Math.log(Math.exp(rest - high) + Math.exp(sold - high)))).toFixed(6);
}

// worstPrice is the dearest average a buy may fill at, or the cheapest of a sale, given a
// tolerance in basis points; rounded inwards, so that it never promises too much room.
export function worstPrice(side, price, bps) {
  const exact = units(price, 12) * BigInt(side === "buy" ? 10000 + bps : 10000 - bps);
  return decimal((exact + (side === "buy" ? 0n : 9999n)) / 10000n, 12);
}

// parseAmount reads what a person typed: grouped digits, comma or point, as their locale has it.
// Returns {value} as a canonical decimal, {} for nothing typed yet, or {error} in words.
export function parseAmount(typed, locale) {
  let text = typed.trim().replace(/[\s\u00a0\u202f'’_]/g, "");
  if (text === "") return {};
  const point = decimalPoint(text, locale);
  text = text.replace(/[.,]/g, (mark, at) => (at === point ? "." : ""));
  if (text.startsWith(".")) text = `0${text}`;
  if (text.endsWith(".")) text = text.slice(0, -1);
  if (!/^\d+(\.\d+)?$/.test(text)) return { error: "Enter a number, such as 10 or 2.50." };
  if ((text.split(".")[1] ?? "").length > 6) return { error: "At most six decimals." };
  if (text.replace(/\D/g, "").length > 24) return { error: "That is more than anyone holds." };
  if (!isPositive(text)) return { error: "More than zero, please." };
  return { value: text.replace(/^0+(?=\d)/, "") };
}

// decimalPoint finds where the fraction begins, or -1: the last mark of two kinds, or the only
// mark, unless it groups thousands as the locale does (1,000).
function decimalPoint(text, locale) {
  const marks = text.match(/[.,]/g) ?? [];
  const last = Math.max(text.lastIndexOf("."), text.lastIndexOf(","));
  if (new Set(marks).size === 2) return last;
  const groups = marks.length > 0 && text[last] !== decimalMark(locale) && /^\d{1,3}([.,]\d{3})+$/.test(text);
  return marks.length === 1 && !groups ? last : -1;
}

const formats = new Map();

function format(text, min, max) {
  const key = `${min}.${max}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat(undefined, { minimumFractionDigits: min, maximumFractionDigits: max }));
  }
  return formats.get(key).format(text);
}

function decimalMark(locale) {
  return new Intl.NumberFormat(locale).formatToParts(1.5).find((p) => p.type === "decimal").value;
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
  return { direction, text: direction === "none" ? `±${format("0", 1, 1)}` : `${direction === "up" ? "▲" : "▼"}${THIN}${text}` };
}
