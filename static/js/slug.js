// The address that is suggested for a question.

const LATIN = {
  ä: "ae",
  ö: "oe",
  ü: "ue",
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  å: "a",
  đ: "d",
  ð: "d",
  þ: "th",
  ł: "l",
  ı: "i",
};

// Letters in the order of their alphabets, and what each is written as.
const spelled = (letters, latin) => latin.split(" ").map((words, i) => [[...letters][i], words === "_" ? "" : words]);
const SPELLED = new Map([
  ...Object.entries(LATIN),
  ...spelled(
    "абвгдежзийклмнопрстуфхцчшщъыьэюяёєіїґўјљњћђџ",
    "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya yo ye i yi g u j lj nj c dj dz",
  ),
  ...spelled("αβγδεζηθικλμνξοπρσςτυφχψω", "a v g d e z i th i k l m n x o p r s s t y f ch ps o"),
]);

// addressOf is the words of a question in letters that an address may have; where none of them can be
// spelled so, a name that says nothing, and is the same for the same words.
export function addressOf(words) {
  const known = Array.from(words.normalize("NFC").toLowerCase(), (c) => SPELLED.get(c) ?? c).join("");
  const bare = known.normalize("NFKD").replace(/\p{M}+/gu, "");
  const plain = Array.from(bare, (c) => SPELLED.get(c) ?? c)
    .join("")
    .replace(/['’]/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  if (!plain && words.trim()) return `market-${hash(words)}`;
  return plain.slice(0, 48).replace(/-[^-]*$/, (end) => (plain.length > 48 ? "" : end));
}

const hash = (words) => [...words].reduce((sum, c) => (Math.imul(sum, 31) + c.codePointAt(0)) >>> 0, 7).toString(36);
