// Every call that the pages make. Answers are parsed JSON; a refusal is a Problem with the
// server's code, and a call that may or may not have arrived is a Lost.

const BASE = "/api/v1";
const PATIENCE = 10_000;
const BUSY = [408, 425, 429];

// Whom the page shows, as its server names them. What is asked of the server is for them, or refused:
// somebody else may be signed in by now.
let shown = null;
export const askAs = (name) => (shown = name);

// Problem is an answer that says no (RFC 9457).
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    Object.assign(this, {
      status,
      code: body.code ?? "",
      hint: body.hint ?? "",
      title: body.title ?? "",
      quote: body.quote,
      password: body.password,
    });
  }
}

// Lost is no verdict: a broken connection, a time out, a server in trouble or too busy. What was
// asked may have happened.
export class Lost extends Error {}

export async function call(method, path, { body, headers, signal, keepalive } = {}) {
  let response;
  let answer = null;
  try {
    response = await fetch(BASE + path, {
      method,
      credentials: "same-origin",
      headers: {
        Accept: "application/json",
        ...(shown && { "X-Pgtape-Account": shown }),
        ...(body && { "Content-Type": "application/json" }),
        ...headers,
      },
      keepalive,
      body: body && JSON.stringify(body),
      signal: signal ?? AbortSignal.timeout(PATIENCE),
    });
    if (response.status !== 204) answer = await response.json();
  } catch (error) {
    if (!response || response.ok) throw new Lost("No answer from the server.", { cause: error });
  }
  if (response.ok) return answer;
  if (response.status >= 500 || BUSY.includes(response.status)) {
    throw Object.assign(new Lost(answer?.detail ?? `The server answered ${response.status}.`), { hint: answer?.hint });
  }
  if (answer?.code === "account_changed") dispatchEvent(new CustomEvent(answer.code, { detail: `${answer.account}:` }));
  throw new Problem(response.status, answer ?? {});
}

function query(values) {
  const given = Object.entries(values).filter(([, v]) => v !== undefined && v !== null && v !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

const market = (slug) => `/markets/${encodeURIComponent(slug)}`;

export const listMarkets = (filter, signal) => call("GET", `/markets${query(filter)}`, { signal });
export const getHistory = (slug, range = {}) => call("GET", `${market(slug)}/history${query(range)}`);
export const getLatest = (slug, count = 50) => call("GET", `${market(slug)}/tape${query({ latest: count })}`);
export const getQuote = (slug, order, signal) => call("GET", `${market(slug)}/quote${query(order)}`, { signal });
export const placeTrade = (slug, order, key) =>
  call("POST", `${market(slug)}/trades`, { body: order, headers: { "Idempotency-Key": key } });
export const getMoves = (slug) => call("GET", `${market(slug)}/moves`);
export const moveMarket = (slug, move) => call("POST", `${market(slug)}/moves`, { body: move });
export const getSettlement = (slug, payout) =>
  call("GET", `${market(slug)}/settlement${query({ payout: payout?.join() })}`);
export const getMarketPreview = (wanted) => call("GET", `/market-preview${query(wanted)}`);
export const getPortfolio = () => call("GET", "/portfolio");
export const signIn = (handle) => call("POST", "/session", { body: { handle } });
export const signOut = () => call("DELETE", "/session");
export const getSource = () => call("GET", "/source");

// newKey names one confirmed order, so that asking again can never trade twice. randomUUID needs
// a secure context, which plain http to another machine is not.
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}
