// Files for spreadsheets, as RFC 4180 has them.

// csv writes rows of texts. What a spreadsheet would take for a formula is made text, as in the server's
// history.csv.
export const csv = (rows) => rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");

function cell(text) {
  const safe = /^[=+\-@＝＋－＠\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
