// <account-menu>: choose a handle and start, or the ways to sign in and up, as the server's policy has
// it; afterwards who you are and what you have.
import * as api from "../api.js";
import { $, announce, h, text, tint } from "../dom.js";
import { store, Watching } from "../live.js";
import { exactCredits, heldCredits } from "../money.js";
import { become, leave, look } from "../shown.js";

const SETTLE = 150;

class AccountMenu extends Watching {
  connectedCallback() {
    this.watch(
      (s) => s.account,
      (who) => this.render(who),
    );
  }

  render(who) {
    if (who && who.handle === this.handle) return this.renderBalance(who.balance);
    this.handle = who?.handle;
    this.balance = undefined;
    this.dataset.signedIn = who ? "yes" : "no";
    this.replaceChildren(...(who ? this.signedIn(who) : byHandle() ? [this.form()] : this.links()));
    if (who) this.renderBalance(who.balance);
  }

  renderBalance(balance) {
    const shown = $("[data-testid=balance]", this);
    if (this.balance !== undefined && this.balance !== balance) tint(shown);
    this.balance = balance;
    text(shown, heldCredits(balance));
    shown.title = exactCredits(balance);
  }

  signedIn({ handle }) {
    return [
      h("a", { class: "account-name", href: "/settings", "data-testid": "account-handle" }, handle),
      h("span", { class: "account-balance num", "data-testid": "balance" }),
      h(
        "button",
        { class: "quiet-button", type: "button", onclick: () => signOut().catch((error) => announce(error.message)) },
        "Sign out",
      ),
    ];
  }

  links() {
    const here = location.pathname.startsWith("/sign")
      ? ""
      : `?to=${encodeURIComponent(location.pathname + location.search)}`;
    return [
      h("a", { class: "button", href: `/signin${here}`, "data-testid": "to-sign-in" }, "Sign in"),
      this.dataset.signUp === "open" &&
        h("a", { class: "button button-strong", href: `/signup${here}`, "data-testid": "to-sign-up" }, "Sign up"),
    ].filter(Boolean);
  }

  form() {
    const input = h("input", {
      id: "handle",
      name: "handle",
      required: true,
      maxlength: 40,
      placeholder: "Choose a handle",
      autocomplete: "username",
      autocapitalize: "off",
      autocorrect: "off",
      spellcheck: "false",
      "data-testid": "sign-in-handle",
      "aria-describedby": "sign-in-error",
    });
    const button = h("button", { class: "button", "data-testid": "sign-in-button" }, "Sign in");
    const error = h("p", { class: "sign-in-error", id: "sign-in-error", role: "alert" });
    const submit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      text(error, "");
      try {
        await signIn(input.value.trim());
      } catch (problem) {
        if (problem.code === "not_permitted")
          error.replaceChildren(
            problem.message,
            ". ",
            h("a", { class: "link", href: "/signin" }, "Sign in with a password"),
          );
        else text(error, [problem.message, problem.hint].filter(Boolean).join("; "));
        input.focus();
      }
      button.disabled = false;
    };
    return h(
      "form",
      { class: "sign-in", onsubmit: submit },
      h("label", { class: "visually-hidden", for: "handle" }, "Handle"),
      input,
      button,
      error,
    );
  }
}

const byHandle = () => $("account-menu").dataset.signUp === "handle";

// askToSignIn leads to the form, wherever the page asks for an account.
export function askToSignIn() {
  if (!byHandle()) return location.assign($("[data-testid=to-sign-in]").href);
  $("#handle")?.scrollIntoView({ block: "nearest" });
  $("#handle")?.focus();
}

async function signIn(handle) {
  const account = await api.signIn(handle);
  become();
  store.dispatch({ op: "account", account });
  announce(`Signed in as ${account.handle}.`);
  refresh();
}

async function signOut() {
  await api.signOut();
  leave("Signed out.");
}

let refreshed; // the newest reading of balance and positions

// refresh reads balance and positions. What fails here is tried again by the next change; an answer
// that a later reading has overtaken says nothing.
export async function refresh() {
  const mine = (refreshed = Symbol("portfolio"));
  try {
    const portfolio = await api.getPortfolio();
    if (mine === refreshed) store.dispatch({ op: "portfolio", ...portfolio });
  } catch (error) {
    if (error.status === 401) look("");
  }
}

// watch refreshes when the tape shows a trade of ours, made here or in psql, and when a market
// in which we hold shares changes its status.
export function watch() {
  let timer;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, SETTLE);
  };
  store.watch(ownLatest, soon);
  store.watch(heldStatuses, soon);
}

const ownLatest = ({ ticker, account }) => {
  const own = account ? ticker.find((t) => t.trade.account === account.handle) : undefined;
  return own && `${own.market} ${own.seq}`;
};

const heldStatuses = ({ positions, markets, account }) =>
  account ? [...positions.keys()].map((slug) => markets.get(slug)?.state.status).join() || undefined : undefined;

customElements.define("account-menu", AccountMenu);
