// <market-list>: all markets, live. Rows keep their places while prices move.
import * as api from "../api.js";
import { $, $$, h, set, text } from "../dom.js";
import { follow, page, store, Watching } from "../live.js";
import { counted, exactCredits, integer, roundCredits } from "../money.js";
import { colourClass, isBinary, label, leader, own, tradable } from "../outcomes.js";
import { now, span } from "../time.js";

const TYPING = 200;
const SEEDED = 8;

// As the server draws them: static/filters.go.
const STATUSES = [
  ["", "All"],
  ["open", "Open"],
  ["closed", "Closed"],
  ["resolved", "Resolved"],
];
const SORTS = [
  ["", "Latest trade"],
  ["hot", "Hot"],
  ["new", "Newest"],
  ["closing", "Closing soon"],
  ["volume", "Most traded"],
];
const FIRST_MARKET = "select * from pgtape.create_market('rain', 'Will it rain tomorrow?');";
const NAMES = ["q", "status", "category", "sort"];

class MarketList extends Watching {
  connectedCallback() {
    this.filter = Object.fromEntries([...new URLSearchParams(location.search)].filter(([n]) => NAMES.includes(n)));
    this.rows = new Map();
    this.list = $(".rows", this);
    $(".empty", this)?.remove();
    $(".more", this)?.remove();
    this.message = h("div", { class: "empty", hidden: true });
    this.head = h(
      "div",
      { class: "row-head", "aria-hidden": "true" },
      ["Market", "Traded", "Past day", "Chance"].map((name) => h("span", {}, name)),
    );
    this.list.before(this.head);
    this.more = h(
      "button",
      { class: "button button-wide", type: "button", hidden: true, onclick: () => this.loadMore() },
      "More markets",
    );
    this.append(this.message, this.more);
    this.buildFilters();
    const embedded = page.markets && NAMES.every((n) => (own(page.query, n) ?? "") === (this.filter[n] ?? ""));
    if (embedded) this.show(page.markets, page.next);
    else this.load();
    this.seedTicker(page.markets ?? []);
    this.watch(
      (s) => s.markets,
      (markets) => this.update(markets),
    );
    this.every(30_000, () => this.update(store.state.markets));
  }

  buildFilters() {
    this.statuses = STATUSES.map(([value, name]) =>
      h(
        "button",
        {
          type: "button",
          "aria-pressed": String((this.filter.status ?? "") === value),
          onclick: () => this.change("status", value),
        },
        name,
      ),
    );
    const categories = [...(page.categories ?? [])];
    if (this.filter.category && !categories.includes(this.filter.category)) categories.push(this.filter.category);
    $("#filters").replaceChildren(
      h("div", { class: "segments", role: "group", "aria-label": "Status" }, this.statuses),
      ...(categories.length > 1 || this.filter.category
        ? [this.select("category", "Category", [["", "All categories"], ...categories.map((c) => [c, c])])]
        : []),
      this.select("sort", "Order", SORTS),
    );
    const search = $("#search");
    search.value = this.filter.q ?? "";
    search.form.addEventListener("submit", (event) => event.preventDefault());
    search.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.change("q", search.value.trim()), TYPING);
    });
  }

  select(name, title, choices) {
    const chosen = this.filter[name] ?? "";
    return h(
      "select",
      { class: "select", "aria-label": title, onchange: (event) => this.change(name, event.target.value) },
      choices.map(([value, words]) => h("option", { value, selected: value === chosen }, words)),
    );
  }

  change(name, value) {
    if (value) this.filter[name] = value;
    else delete this.filter[name];
    this.statuses.forEach((b, i) => set(b, { "aria-pressed": String(STATUSES[i][0] === (this.filter.status ?? "")) }));
    const query = new URLSearchParams(this.filter).toString();
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
    this.load();
  }

  async load() {
    this.loading?.abort();
    this.loading = new AbortController();
    set(this.list, { "aria-busy": "true" });
    try {
      const { markets, next } = await api.listMarkets(this.filter, this.loading.signal);
      this.show(markets, next);
    } catch (error) {
      if (error.cause?.name === "AbortError") return;
      this.explain(
        "The markets do not answer",
        `${error.message} What you see is from before.`,
        h("button", { class: "button", type: "button", onclick: () => this.load() }, "Try again"),
      );
    }
    set(this.list, { "aria-busy": null });
  }

  show(markets, next) {
    follow(markets);
    this.rows.clear();
    this.drawn = new Map($$("market-spark", this.list).map((spark) => [spark.dataset.market, spark]));
    this.list.replaceChildren(...markets.map((m) => this.row(m)));
    this.offerMore(next);
    this.update(store.state.markets);
    this.head.hidden = markets.length === 0;
    const filtered = NAMES.some((n) => n !== "sort" && this.filter[n]);
    this.message.hidden = markets.length > 0;
    if (markets.length > 0) return;
    if (filtered)
      this.explain("Nothing matches", "Try fewer words, or another status.", h("a", { href: "/" }, "All markets"));
    else
      this.explain(
        "No markets yet",
        "Make the first one, here or from psql:",
        h("pre", {}, h("code", {}, FIRST_MARKET)),
      );
  }

  offerMore(next) {
    this.next = next;
    this.more.hidden = !next;
  }

  async loadMore() {
    set(this.more, { disabled: true });
    try {
      const { markets, next } = await api.listMarkets({ ...this.filter, cursor: this.next });
      const fresh = markets.filter((m) => !this.rows.has(m.slug));
      follow(fresh);
      this.list.append(...fresh.map((m) => this.row(m)));
      this.offerMore(next);
    } catch {
      text(this.more, "No answer. Try again");
    }
    set(this.more, { disabled: null });
  }

  explain(title, words, action) {
    this.message.hidden = false;
    this.message.replaceChildren(h("h2", {}, title), h("p", {}, words), action);
  }

  row(market) {
    const lead = leader(market);
    const ids = { "data-market": market.slug, "data-outcome": lead };
    const meta = h("div", { class: "row-meta" });
    const outcome = h("span", { class: "row-outcome", dir: "auto" }, label(lead));
    const volume = h("span", { class: "row-volume num" });
    const element = h(
      "li",
      { class: `row ${colourClass(market, lead)}`, "data-testid": "market-card", "data-market": market.slug },
      h(
        "div",
        { class: "row-main" },
        h("a", { class: "row-link", dir: "auto", href: `/m/${encodeURIComponent(market.slug)}` }, market.question),
        meta,
      ),
      volume,
      h("div", { class: "row-spark" }, this.drawn.get(market.slug) ?? h("market-spark", ids)),
      h(
        "div",
        { class: "row-price" },
        h("market-price", { class: "num", "data-testid": "price", ...ids }),
        h("span", { class: "row-under" }, outcome, h("market-change", ids, own(page.days, market.slug)?.change)),
      ),
    );
    this.rows.set(market.slug, { element, meta, volume, lead });
    return element;
  }

  // update repaints the words of rows; prices and sparks look after themselves.
  update(markets) {
    for (const [slug, row] of this.rows) {
      const m = markets.get(slug)?.state;
      if (!m) continue;
      this.renderMeta(row, m);
      text(row.volume, m.trades === 0 ? "–" : roundCredits(m.volume));
      row.volume.title = `${exactCredits(m.volume)} traded in ${integer(m.trades)} trades by ${integer(m.traders)} people`;
      set(row.element, { "data-status": tradable(m) ? "open" : m.status });
    }
  }

  renderMeta(row, m) {
    const status = statusWord(m);
    const words = facts(m, row.lead);
    const shown = [status, ...words].join();
    if (row.shown === shown) return;
    row.shown = shown;
    row.meta.replaceChildren(
      ...(status ? [h("span", { class: "row-status" }, status)] : []),
      ...words.map((w) => h("span", {}, w)),
    );
  }

  // seedTicker shows something at the top before the first trade happens.
  async seedTicker(markets) {
    const latest = [...markets].sort((a, b) => Date.parse(b.updated_at) - Date.parse(a.updated_at)).slice(0, SEEDED);
    await Promise.allSettled(
      latest.map(async ({ slug }) => {
        const { events } = await api.getLatest(slug, 3);
        store.dispatch({ op: "tape", market: slug, events });
      }),
    );
  }
}

function facts(m, lead) {
  const closes = m.closes_at && m.status === "open" ? Date.parse(m.closes_at) - now() : null;
  return [
    m.category,
    !isBinary(m) && `${label(lead)} leads ${integer(m.outcomes.length)} outcomes`,
    m.trades === 0 ? "no trades yet" : counted(m.trades, "trade", "trades"),
    m.trades > 0 && counted(m.traders, "person", "people"),
    closes > 0 && `closes in ${span(closes).split(" ")[0]}`,
  ].filter(Boolean);
}

function statusWord(m) {
  if (m.status === "resolved" && m.payout) {
    const paid = Object.entries(m.payout)
      .filter(([, p]) => Number(p) > 0)
      .map(([o]) => label(o));
    return `Resolved ${paid.join(", ")}`;
  }
  return tradable(m) ? "" : m.status === "open" ? "Closed" : m.status[0].toUpperCase() + m.status.slice(1);
}

customElements.define("market-list", MarketList);
