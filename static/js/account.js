// Who is signed in, and what they have: refreshed after everything that may have changed it.
import * as api from "./api.js";
import { announce } from "./dom.js";
import { store } from "./live.js";

const SETTLE = 150;

export async function signIn(handle) {
  const account = await api.signIn(handle);
  store.dispatch({ op: "account", account });
  announce(`Signed in as ${account.handle}.`);
  refresh();
}

export async function signOut() {
  await api.signOut();
  store.dispatch({ op: "account", account: null });
  announce("Signed out.");
}

// refresh reads balance and positions. What fails here is tried again by the next change.
export async function refresh() {
  try {
    const portfolio = await api.getPortfolio();
    store.dispatch({ op: "portfolio", ...portfolio });
  } catch (error) {
    if (error.status === 401) store.dispatch({ op: "account", account: null });
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
  account ? Object.keys(positions).map((slug) => markets[slug]?.state.status).join() || undefined : undefined;
