// Writes sql/functions/00015_characters.sql: node sql/unicode/tables.mjs > sql/functions/00015_characters.sql
//
// The tables are of the Unicode version of the node that runs this, and are meant to stay: what a
// database has taken must mean the same for ever. Left out is what Postgres 14, whose Unicode is 13,
// would normalise otherwise than a later one: marks and what can be taken apart, of later versions.

const SINCE_13 = [ // marks, and characters with a decomposition, that came with Unicode 14 to 17
  [0x897, 0x89f], [0x8ca, 0x8d2], [0xc3c, 0xc3c], [0xcf3, 0xcf3], [0xece, 0xece], [0x1715, 0x1715], [0x180f, 0x180f], [0x1ac1, 0x1add],
  [0x1ae0, 0x1aeb], [0x1dfa, 0x1dfa], [0xa7f1, 0xa7f4], [0x105c9, 0x105c9], [0x105e4, 0x105e4], [0x10781, 0x10785], [0x10787, 0x107b0],
  [0x107b2, 0x107ba], [0x10d69, 0x10d6d], [0x10efa, 0x10eff], [0x10f82, 0x10f85], [0x11070, 0x11070], [0x11073, 0x11074], [0x110c2, 0x110c2],
  [0x11241, 0x11241], [0x11383, 0x11383], [0x11385, 0x11385], [0x1138e, 0x1138e], [0x11391, 0x11391], [0x113b8, 0x113c0], [0x113c2, 0x113c2],
  [0x113c5, 0x113c5], [0x113c7, 0x113ca], [0x113cc, 0x113d0], [0x113d2, 0x113d2], [0x113e1, 0x113e2], [0x11b60, 0x11b67], [0x11f00, 0x11f01],
  [0x11f03, 0x11f03], [0x11f34, 0x11f3a], [0x11f3e, 0x11f42], [0x11f5a, 0x11f5a], [0x13440, 0x13440], [0x13447, 0x13455], [0x1611e, 0x1612f],
  [0x16d68, 0x16d6a], [0x1ccd6, 0x1ccf9], [0x1cf00, 0x1cf2d], [0x1cf30, 0x1cf46], [0x1e030, 0x1e06d], [0x1e08f, 0x1e08f], [0x1e2ae, 0x1e2ae],
  [0x1e4ec, 0x1e4ef], [0x1e5ee, 0x1e5ef], [0x1e6e3, 0x1e6e3], [0x1e6e6, 0x1e6e6], [0x1e6ee, 0x1e6ef], [0x1e6f5, 0x1e6f5],
];
const within = (ranges, cp) => ranges.some(([from, to]) => cp >= from && cp <= to);

// What looks like nothing, or like what it is not, and is neither a control nor a format character.
const BLANK = [[0x34f, 0x34f], [0x115f, 0x1160], [0x17b4, 0x17b5], [0x2800, 0x2800], [0x3164, 0x3164], [0xffa0, 0xffa0], [0xfffc, 0xfffd], [0x13441, 0x13442], [0x16fe4, 0x16fe4], [0x1d159, 0x1d159]];
// What is right in some places only: text_error looks where it stands.
const PLACED = [[0x180b, 0x180d], [0x200c, 0x200d], [0xfe00, 0xfe0f], [0xe0020, 0xe007f], [0xe0100, 0xe01ef]];
// Format characters that are seen: number signs of Arabic, Syriac and Kaithi.
const SEEN = [[0x600, 0x605], [0x6dd, 0x6dd], [0x70f, 0x70f], [0x890, 0x891], [0x8e2, 0x8e2], [0x110bd, 0x110bd], [0x110cd, 0x110cd]];

function classOf(cp) {
  if (cp === 0x0a || cp === 0x09) return "s";
  if (cp >= 0xd800 && cp <= 0xdfff) return "r";
  const c = String.fromCodePoint(cp);
  if (within(PLACED, cp)) return "p";
  if (within(SEEN, cp)) return "x";
  if (/[\p{Cn}\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]/u.test(c) || within(BLANK, cp) || within(SINCE_13, cp)) return "r";
  if (/\p{Zs}/u.test(c)) return "s";
  return /\p{M}/u.test(c) ? "m" : "x";
}

const starts = [], classes = [];
for (let cp = 0, last; cp <= 0x10ffff; cp++) {
  const found = classOf(cp);
  if (found !== last) {
    starts.push(cp);
    classes.push(found);
  }
  last = found;
}

// Letters that look like another letter, or whose capitals do, are read as the Latin ones.
const LOOKS = {
  а: "a", в: "b", е: "e", ѕ: "s", і: "i", ј: "j", к: "k", м: "m", н: "h", о: "o", р: "p", с: "c", т: "t", у: "y", ү: "y", х: "x", ѵ: "v", һ: "h", ԁ: "d", ԛ: "q", ԝ: "w", ё: "ë", ї: "ï", ӏ: "l",
  α: "a", β: "b", ε: "e", ζ: "z", η: "h", ι: "i", κ: "k", μ: "m", ν: "n", ο: "o", ρ: "p", τ: "t", υ: "y", χ: "x",
  օ: "o", ս: "u", հ: "h", ց: "g", յ: "j", ı: "i", ɡ: "g", ɑ: "a", ɩ: "i", ǃ: "!", ǀ: "|",
  ی: "ي", ى: "ي", ک: "ك",
  "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "ʹ": "'", "ʻ": "'", "ʼ": "'", "ʽ": "'", "ˈ": "'", "´": "'",
  "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "•": "·", "∙": "·", "⋅": "·", "⁄": "/", "∕": "/", "∶": ":", "∗": "*", "∼": "~", "‖": "|", "∣": "|",
};
for (let i = 0; i < 10; i++) LOOKS[String.fromCodePoint(0x6f0 + i)] = String(i), LOOKS[String.fromCodePoint(0x660 + i)] = String(i);

// Each span of characters, by its first: the one character that it is folded to, or 0 for none.
const spans = [0], folds = [0];
for (let cp = 0x41; cp <= 0x10ffff; cp++) {
  const found = foldOf(cp);
  if (found !== 0 || folds.at(-1) !== 0) {
    spans.push(cp);
    folds.push(found);
  }
}

function foldOf(cp) {
  if (cp >= 0xd800 && cp <= 0xdfff) return 0;
  const c = String.fromCodePoint(cp);
  if (c.normalize("NFKC") !== c || "rp".includes(classOf(cp))) return 0; // is another one before it is folded
  let folded = c.toUpperCase().toLowerCase();
  if (c === "İ") folded = "i";
  if ([...folded].length !== 1) folded = c.toLowerCase();
  if ([...folded].length !== 1) folded = c;
  folded = LOOKS[folded] ?? LOOKS[c] ?? folded;
  return folded !== c && folded.normalize("NFKC") === folded ? folded.codePointAt(0) : 0;
}

const escaped = (cp) => (cp > 0xffff ? "\\\\U" + cp.toString(16).padStart(8, "0") : "\\\\u" + cp.toString(16).padStart(4, "0"));
const rangesOf = (wanted) => starts.flatMap((cp, i) => (wanted.includes(classes[i]) ? [[Math.max(cp, 1), (starts[i + 1] ?? 0x110000) - 1]] : []))
  .map(([from, to]) => (from === to ? escaped(from) : escaped(from) + "-" + escaped(to)));

const lines = (items, between, width) => {
  const out = [""];
  for (const item of items) {
    if (out.at(-1).length + item.length > width) out.push("");
    out[out.length - 1] += item + between;
  }
  out[out.length - 1] = out.at(-1).slice(0, out.at(-1).length - between.length);
  return out;
};
const set = (wanted) => lines(rangesOf(wanted), "", 140).map((l) => `E'${l}'`).join(" ||\n        ");
const literal = (items) => lines(items, "", 140).map((l) => `'${l}'`).join("\n        ");
process.stdout.write(`-- +goose Up
-- Made by sql/unicode/tables.mjs from Unicode ${process.versions.unicode}. Fixed tables, since normalize, lower and the
-- classes of regular expressions depend on the version of Postgres, its locale, or both.

-- character_class says what a character is, by its code point: x seen, m a mark on the one before, s a
-- space, tab or line feed, p right in some places only, r refused. docs/texts.md says why.
create or replace function pgtape_core.character_class(code integer)
    returns text
    language sql
    immutable
    return chr(get_byte(${literal(classes)}::bytea, width_bucket(code, '{
        ${lines(starts.map(String), ",", 140).join("\n        ")}}'::integer[]) - 1));

-- has_text_fault tells whether a text has a character that is refused or right in some places only,
-- nothing to see, or more than 8 marks on one letter: character_error says which. One regular expression
-- is a hundred times as fast as a look at each character.
create or replace function pgtape_core.has_text_fault(value text)
    returns boolean
    language sql
    immutable
    return value collate "C" ~ (
        '[' ||
        ${set("rp")} ||
        ']|^[' ||
        ${set("m")} ||
        ']|[' ||
        ${set("m")} ||
        ']{9}|^[' ||
        ${set("sm")} ||
        ']+$'
    );

-- folded_letters gives each character of a text by the one that stands for all that look like it and
-- for both cases; the text has the form NFKC. The numbers below are what the characters from those above
-- on become; 0: what they are. In PL/pgSQL, which reads these tables once a session.
-- +goose StatementBegin
create or replace function pgtape_core.folded_letters(value text)
    returns text
    language plpgsql
    immutable
as $$
begin
    return (
        select coalesce(string_agg(coalesce(chr(nullif(f.folded, 0)), c.value), '' order by c.i), '')
        from string_to_table(folded_letters.value, null) with ordinality as c (value, i)
        cross join lateral (select ('{
        ${lines(folds.map(String), ",", 140).join("\n        ")}}'::integer[])[width_bucket(ascii(c.value), '{
        ${lines(spans.map(String), ",", 140).join("\n        ")}}'::integer[])]) as f (folded)
    );
end;
$$;
-- +goose StatementEnd
`);
