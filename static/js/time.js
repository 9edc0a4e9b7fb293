// Times in the reader's locale. All take ISO strings or epoch milliseconds.

// now is the server's time, as well as the page knows it. The device's clock decides nothing: it may be
// hours off. It only says in which zone its reader is.
let clockOf = Date.now;
export const now = () => clockOf();
export const goBy = (clock) => (clockOf = clock);

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const shortFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const yearDayFormat = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });
const monthFormat = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short" });
const yearFormat = new Intl.DateTimeFormat(undefined, { year: "numeric" });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

const DAY = 86_400_000;

// shown formats a date; what is none, such as a year beyond what JavaScript knows, is a dash, and
// takes nothing else with it.
const shown = (format, date) => (Number.isNaN(date.getTime()) ? "–" : format.format(date));

export const full = (at) => shown(fullFormat, new Date(at));

// clock is a time of day, or a date once that says more.
export function clock(at, present = now()) {
  const date = new Date(at);
  return present - date < DAY && date.getDate() === new Date(present).getDate()
    ? shown(clockFormat, date)
    : day(date, present);
}

// day is a date, with its year unless it is this one.
const day = (date, present) =>
  shown(date.getFullYear() === new Date(present).getFullYear() ? dayFormat : yearDayFormat, date);

// tick labels an axis whose steps are `step` seconds apart: by the time of day, at midnight by the date,
// and from months on by those. Where clocks have changed since, midnight may be an hour off.
export function tick(seconds, step, present = now()) {
  const date = new Date(seconds * 1000);
  if (step < 86_400) {
    const midnight = date.getHours() + date.getMinutes() + date.getSeconds() === 0;
    return midnight ? day(date, present) : shown(step >= 60 ? shortFormat : clockFormat, date);
  }
  const within = new Date((seconds + 3 * 3_600) * 1000);
  if (step >= 360 * 86_400) return shown(yearFormat, within);
  return step >= 28 * 86_400 ? shown(monthFormat, within) : day(within, present);
}

// span says how long, in at most two units: "3 d 4 h", "12 s".
export function span(milliseconds) {
  let rest = Math.max(0, Math.round(milliseconds / 1000));
  const parts = [];
  for (const [size, unit] of [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
  ]) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}\u202f${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ") || "0\u202fs";
}

// ago is a relative time for the recent past: it is repainted as it counts.
export function ago(at, present = now()) {
  const passed = present - new Date(at);
  if (passed < 5_000) return "now";
  return passed < 60_000 ? `${span(passed)} ago` : `${span(passed).split(" ")[0]} ago`;
}
