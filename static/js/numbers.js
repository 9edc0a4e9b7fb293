// Numbers as people type them, in one place for all fields. What could mean two things is not guessed
// at: it is an error that shows how to write it in the reader's locale.
import { isPositive } from "./money.js";

const styles = new Map();

// styleOf is how a locale writes numbers: its decimal mark, the patterns of whole numbers that are
// grouped, its own digits, and two examples.
function styleOf(locale) {
  if (!styles.has(locale)) {
    const format = new Intl.NumberFormat(locale, { useGrouping: "always" });
    const parts = format.formatToParts(12345678.5);
    const mark = (type) => parts.find((p) => p.type === type)?.value;
    const point = mark("decimal");
    // Spaces and apostrophes group, and nothing else, wherever they are used.
    const separators = ["[ \\u00a0\\u2009\\u202f]", "['’]"];
    if (mark("group") && !/[\s'’]/.test(mark("group"))) separators.push(`\\${mark("group")}`);
    const lakh = parts.filter((p) => p.type === "integer")[1]?.value.length === 2;
    const patterns = separators.flatMap((s) => [
      `[1-9]\\d{0,2}(?:${s}\\d{3})+`,
      ...(lakh ? [`[1-9]\\d?(?:${s}\\d{2})*${s}\\d{3}`] : []),
    ]);
    const digits = new Map(
      [...new Intl.NumberFormat(locale, { useGrouping: false }).format(9876543210)].map((digit, i) => [
        digit,
        String(9 - i),
      ]),
    );
    styles.set(locale, {
      point,
      digits,
      whole: new RegExp(`^(?:\\d*|${patterns.join("|")})$`),
      example: `${format.format(0.5)} or ${format.format(1234.5)}`,
    });
  }
  return styles.get(locale);
}

// parseAmount reads what a person typed. Returns {value} as a canonical decimal, {} for nothing typed
// yet, or {error} in words.
export function parseAmount(typed, locale, { zero = false } = {}) {
  const style = styleOf(locale);
  const text = Array.from(typed.trim(), (c) => style.digits.get(c) ?? c).join("");
  if (text === "") return {};
  const [grouped, fraction = "", ...more] = text.split(style.point);
  const whole = grouped.replace(/\D/g, "").replace(/^0+(?=\d)/, "") || "0";
  if (more.length || !style.whole.test(grouped) || !/^\d*$/.test(fraction) || !/\d/.test(text))
    return { error: `Write it like ${style.example}.` };
  if (fraction.length > 6) return { error: "At most six decimals." };
  if (whole.length > 18) return { error: "That is more than anyone holds." };
  const value = fraction ? `${whole}.${fraction}` : whole;
  return zero || isPositive(value) ? { value } : { error: "More than zero, please." };
}

// typeable is a canonical decimal as its reader would type it: parseAmount gives it back.
export function typeable(amount, locale) {
  const [whole, fraction = ""] = amount.split(".");
  const digits = fraction.replace(/0+$/, "");
  return digits ? whole + styleOf(locale).point + digits : whole;
}
