// Whose page this is. The server draws a page for somebody, or nobody, and tells the page's scripts
// whom: page.shown. A cookie tells who is signed in. Where the two differ, the page is somebody else's:
// it is loaded again, and nothing that was typed or sent in it goes along.
import { askAs } from "./api.js";
import { $, announce, h, keep, kept } from "./dom.js";
import { page } from "./live.js";

const COOKIE = "pgtape_account=";
const ORDER = "order ";

// Whom the page shows: "" is nobody, null is not known, as on a page that says that the database is away.
export let shown = page.shown ?? null;

const signedIn = () =>
  document.cookie
    .split("; ")
    .find((c) => c.startsWith(COOKIE))
    ?.slice(COOKIE.length) ?? "";

// become is for a page that signs somebody in without leaving.
export function become(name = signedIn()) {
  shown = name;
  askAs(name);
  keep("localStorage", "shown", name); // other tabs hear of it
}

// look compares, and loads the page again if it is somebody else's; once, should the server not agree.
// is: who is signed in, if not whom the cookie names.
export function look(is = signedIn(), why = "") {
  if (shown === null) return;
  const looked = kept("sessionStorage", "looked");
  if (is === shown) return looked !== null && keep("sessionStorage", "looked", null);
  if (is === looked) return;
  keep("sessionStorage", "looked", is);
  leave(`${why}${is ? `You are signed in as ${is.split(":")[0]} now.` : "You are signed out."}`, is);
}

// leave is for a page whose account is signed out: what it knows goes.
export function leave(words, is = "") {
  forgetOrders();
  keep("sessionStorage", "said", words);
  for (const form of document.forms) form.reset(); // browsers fill in again what was typed
  if (!is && /^\/(settings|admin|audit)$/.test(location.pathname)) location.assign("/");
  else location.reload();
}

// Orders on their way are somebody's.
export const keepOrder = (slug, order) => keep("sessionStorage", ORDER + slug, order && { ...order, of: shown });

export function keptOrder(slug) {
  const order = kept("sessionStorage", ORDER + slug);
  return order?.of === shown ? order : null;
}

function forgetOrders() {
  try {
    for (const name of Object.keys(sessionStorage)) {
      if (name.startsWith(ORDER) && kept("sessionStorage", name)?.of !== signedIn()) sessionStorage.removeItem(name);
    }
  } catch {
    // Where storage is blocked, nothing was kept.
  }
}

if (shown !== null) {
  become(shown);
  forgetOrders();
}
for (const name of ["pageshow", "focus", "storage"]) addEventListener(name, () => look());
addEventListener("visibilitychange", () => document.hidden || look()); // it hides as it is left
addEventListener("account_changed", ({ detail }) => look(detail));
look();
const said = kept("sessionStorage", "said");
if (said && kept("sessionStorage", "looked") === null) {
  keep("sessionStorage", "said", null);
  $("#main")?.prepend(h("p", { class: "notice", "data-testid": "said" }, said));
  announce(said);
}
