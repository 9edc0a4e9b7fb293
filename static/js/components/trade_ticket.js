// <trade-ticket data-market>: the order form. What it does is the table in ticket.js; this wires
// the table to the page: fields in, quotes and orders out, and one render of the model.
import * as api from "../api.js";
import { $, $$, announce, h, keep, kept, set, text } from "../dom.js";
import { feed, hasMade, isLive, store, Watching } from "../live.js";
import { credits, decimal, exactCredits, exactShares, held, isPositive, percent, units } from "../money.js";
import { parseAmount, typeable } from "../numbers.js";
import { colourClass, label, tradable } from "../outcomes.js";
import { initial, quoteQuery, resume, step } from "../ticket.js";
import { keepOrder, keptOrder, look, shown } from "../shown.js";
import { span } from "../time.js";
import { askToSignIn } from "./account_menu.js";
import { build } from "./ticket_form.js";
import { announcement, message, orderWords, quoteLines, stateWords } from "./ticket_view.js";

const TYPING = 120;
const FOLLOWING = 400;
const AGAIN = 1_000;
const LONGEST_PAUSE = 8_000;
const DEADLINE = 60_000;
const FIRST_AMOUNT = "10";
const DEFAULT_BPS = 50;
const BEHIND = ".top, .ticker, .market-main, engineer-corner, trade-bar";
const WIDE = matchMedia("(min-width: 861px)");

class TradeTicket extends Watching {
  connectedCallback() {
    this.slug = this.dataset.market;
    this.market = store.state.markets.get(this.slug)?.state;
    if (!this.market) return;
    const wanted = new URLSearchParams(location.search).get("outcome");
    this.typed = FIRST_AMOUNT;
    this.bps = kept("localStorage", `slippage_bps ${shown}`) ?? DEFAULT_BPS;
    this.model = {
      ...initial,
      form: { ...initial.form, outcome: this.market.outcomes.includes(wanted) ? wanted : this.market.outcomes[0] },
    };
    this.parts = build(this);
    this.replaceChildren(this.parts.form, this.parts.closed);
    this.parts.scrim.addEventListener("click", () => this.closeSheet());
    document.body.append(this.parts.scrim);
    this.resumeOrder();
    this.onWide = () => this.closeSheet();
    WIDE.addEventListener("change", this.onWide);
    this.watchMarket((entry) => this.marketChanged(entry.state));
    for (const part of [(s) => s.account, (s) => s.positions.get(this.slug), (s) => s.feed])
      this.watch(part, () => this.render());
    this.watch(
      (s) => s.positions.get(this.slug),
      () => this.amountError && this.input(),
    ); // there may be more to sell now
    if (this.model.state === "idle" && this.open) this.input();
    this.every(1_000, () => tradable(this.market) !== this.open && this.marketChanged(this.market));
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.timer);
    WIDE.removeEventListener("change", this.onWide);
    this.parts?.scrim.remove();
  }

  // --- what people do -----------------------------------------------------------------

  // choose changes side, outcome or unit; the amount typed stays, unless it means something else.
  choose(changes, { focus = true } = {}) {
    const form = { ...this.model.form, ...changes };
    if (form.side === "sell") form.unit = "shares";
    if (changes.side === "buy" && this.model.form.side === "sell") {
      form.unit = "spend";
      this.typed = FIRST_AMOUNT;
    }
    if (changes.side === "sell" && this.model.form.side === "buy") this.typed = "";
    this.input(form);
    if (focus) this.parts.amount.focus();
  }

  chooseNth(index) {
    const outcome = this.market.outcomes[index];
    if (outcome !== undefined) this.choose({ outcome });
  }

  type(value) {
    this.typed = value;
    this.input();
  }

  // fill types a canonical amount for you: a chip, the maximum, or everything.
  fill(amount) {
    this.type(typeable(amount));
    this.parts.amount.focus();
  }

  input(form = this.model.form) {
    const parsed = parseAmount(this.typed);
    this.amountError = parsed.error ?? this.beyondHeld(form, parsed.value);
    const amount = (!this.amountError && parsed.value) || null;
    this.dispatch({ type: amount ? "input" : "clear", form: { ...form, amount } });
  }

  // beyondHeld says, of a sale of more than there is, how much there is exactly.
  beyondHeld({ side, outcome }, amount) {
    const has = this.held(outcome);
    if (side !== "sell" || !amount || !store.state.account || !isPositive(has) || units(amount) <= units(has))
      return undefined;
    return `You hold ${exactShares(has)}: “Sell all” fills that in.`;
  }

  setSlippage(bps) {
    this.bps = bps;
    keep("localStorage", `slippage_bps ${shown}`, bps);
    this.render();
  }

  submit() {
    if (!store.state.account) return askToSignIn();
    if (!this.waits()) this.confirm();
  }

  confirm() {
    const deadline = new Date(feed.serverNow() + DEADLINE).toISOString();
    this.pause = AGAIN;
    this.dispatch({ type: "confirm", key: api.newKey(), settings: { slippageBps: this.bps, deadline } });
  }

  // cancel answers no, or puts a receipt away: then the form is empty, lest it be sent twice.
  cancel() {
    if (this.model.state === "filled") this.typed = "";
    this.dispatch({ type: "cancel" });
  }

  // escape undoes one thing: a question, then the sheet. Tells whether there was one.
  escape() {
    if (["stale", "refused", "filled"].includes(this.model?.state)) this.cancel();
    else if (document.body.dataset.sheet) this.closeSheet();
    else return false;
    return true;
  }

  // openSheet shows the ticket on a phone. The focus goes to the outcome, not to the amount, whose
  // keyboard would cover half of it.
  openSheet(outcome) {
    this.opener = document.activeElement;
    document.body.dataset.sheet = "open";
    for (const behind of $$(BEHIND)) behind.inert = true;
    this.choose({ outcome }, { focus: false });
    $(`[data-outcome="${CSS.escape(outcome)}"]`, this.parts.outcomes).focus();
  }

  closeSheet() {
    delete document.body.dataset.sheet;
    for (const behind of $$(BEHIND)) behind.inert = false;
    this.opener?.focus();
  }

  // --- what the table asks for --------------------------------------------------------

  dispatch(event) {
    const next = step(this.model, event);
    if (next === this.model) return;
    const entered = next.state !== this.model.state;
    this.model = next;
    if (entered && announcement(next)) announce(announcement(next));
    this.keepOrder();
    this.render();
    this.actions[next.action]?.call(this, event);
  }

  actions = {
    quote(event) {
      this.later(event.type === "input" ? TYPING : FOLLOWING, this.quote);
    },
    quote_later() {
      this.later(AGAIN, this.quote);
    },
    send() {
      clearTimeout(this.timer);
      this.asking?.abort();
      this.send();
    },
    ask_again() {
      this.later(this.pause ?? 0, this.send);
      this.pause = Math.min((this.pause || AGAIN) * 2, LONGEST_PAUSE);
    },
    celebrate() {
      store.dispatch({ op: "receipt", receipt: this.model.receipt });
      this.offerWayBack(this.model.receipt);
    },
  };

  // later keeps one question waiting at a time; typing pushes it on, following prices does not.
  later(pause, run) {
    if (pause === FOLLOWING && this.timer) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = null;
      run.call(this);
    }, pause);
  }

  async quote() {
    const { serial, form, state } = this.model;
    if (state === "idle") return; // taken back since
    if (!tradable(this.market)) return this.dispatch({ type: "clear", form });
    this.asking?.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const quote = await api.getQuote(this.slug, quoteQuery(form), signal);
      this.dispatch({ type: "quoted", serial, quote });
    } catch (problem) {
      if (signal.aborted) return;
      this.dispatch({ type: problem instanceof api.Problem ? "refused" : "lost", serial, problem });
    }
  }

  async send() {
    const { key, body } = this.model.order;
    try {
      const receipt = await api.placeTrade(this.slug, body, key);
      await hasMade(this.slug, receipt.version);
      this.dispatch({ type: "filled", receipt: { ...receipt, market: this.slug } });
    } catch (problem) {
      if (!(problem instanceof api.Problem)) return this.dispatch({ type: "lost" });
      if (problem.code === "not_signed_in") look("", "Nothing was traded. ");
      const stale = problem.code === "stale_quote" && problem.quote;
      this.dispatch(stale ? { type: "stale", quote: problem.quote, problem } : { type: "refused", problem });
    }
  }

  // offerWayBack prices the opposite trade. It only fills in the form: nothing is sent by it.
  async offerWayBack(receipt) {
    if (receipt.side !== "buy") return;
    try {
      const quote = await api.getQuote(this.slug, { outcome: receipt.outcome, side: "sell", shares: receipt.shares });
      if (this.model.receipt !== receipt) return;
      receipt.back = { words: `Sell back for ${credits(quote.amount)}` };
      this.render();
    } catch {
      // The receipt does without the offer.
    }
  }

  wayBack() {
    const { outcome, shares: count } = this.model.receipt;
    this.typed = typeable(count);
    this.input({ ...this.model.form, outcome, side: "sell", unit: "shares" });
  }

  // keepOrder remembers a confirmed order until its end is known, also across a reload.
  keepOrder() {
    const { order, form } = this.model;
    keepOrder(this.slug, order && { order, form, typed: this.typed });
  }

  resumeOrder() {
    const left = keptOrder(this.slug);
    if (!left) return;
    const { order, form, typed } = left;
    this.typed = typed;
    this.model = resume(order, form);
    this.actions.ask_again.call(this);
  }

  marketChanged(market) {
    const open = tradable(market);
    const [moved, opened] = [market.version !== this.market.version, open && !this.open];
    Object.assign(this, { market, open });
    const asking = ["idle", "quoting", "ready"].includes(this.model.state);
    if (asking && !open) this.dispatch({ type: "clear", form: this.model.form });
    else if (asking && opened) this.input();
    else if (moved) this.dispatch({ type: "moved" });
    this.render();
  }

  // --- what it looks like -------------------------------------------------------------

  held(outcome = this.model.form.outcome) {
    return store.state.positions.get(this.slug)?.get(outcome)?.shares ?? "0.000000";
  }

  // waits says why the button cannot be pressed now, or null.
  waits() {
    const { state, form, quote } = this.model;
    const { feed: fresh, account } = store.state;
    if (!account) return null;
    if (!isLive())
      return (
        { offline: "Waits: you are offline", reconnecting: "Waits: reconnecting" }[fresh.reason] ??
        (fresh.state === "stale" ? `Waits: prices are ${span(fresh.age)} old` : "Waits for live prices")
      );
    if (form.side === "sell" && !isPositive(this.held())) return `You hold no ${label(form.outcome)}`;
    if (state === "sending") return "Sending…";
    if (state === "unknown") return "Finding out…";
    if (state === "idle") return form.side === "buy" ? "Enter an amount" : "Enter how many shares";
    if (state === "quoting") return "Getting a quote…";
    if (state !== "ready") return "";
    if (form.side === "buy" && units(quote.amount) > units(account.balance))
      return `You have ${exactCredits(account.balance)}`;
    return null;
  }

  render() {
    const { parts, model, market } = this;
    const open = tradable(market);
    const asks = ["stale", "filled", "refused", "unknown"].includes(model.state);
    set(this, { "data-state": model.state, "data-side": model.form.side });
    set(parts.form, { hidden: !open && !asks });
    set(parts.closed, { hidden: open || asks });
    this.className = `ticket ${colourClass(market, model.form.outcome)}`;
    this.renderChoices();
    this.renderAmount();
    this.renderQuote();
    this.renderMessage();
    this.renderButton(asks);
  }

  renderChoices() {
    const { form } = this.model;
    const busy = ["sending", "unknown"].includes(this.model.state);
    for (const b of $$("[data-side]", this.parts.sides))
      set(b, { "aria-pressed": String(b.dataset.side === form.side), disabled: busy });
    for (const b of $$("[data-outcome]", this.parts.outcomes)) {
      set(b, { "aria-pressed": String(b.dataset.outcome === form.outcome), disabled: busy });
      text(b.lastElementChild, percent(this.market.prices[b.dataset.outcome]));
    }
    for (const b of $$("[data-unit]", this.parts.units))
      set(b, { "aria-pressed": String(b.dataset.unit === form.unit), disabled: busy });
    this.parts.units.hidden = form.side === "sell";
    set(this.parts.amount, { readonly: busy });
  }

  renderAmount() {
    const {
      parts,
      model: { form },
    } = this;
    text(
      parts.amountLabel,
      form.side === "sell" ? `Sell ${label(form.outcome)}, shares` : form.unit === "spend" ? "Spend" : "Shares",
    );
    if (parts.amount.value !== this.typed) parts.amount.value = this.typed;
    set(parts.amount, { "aria-invalid": this.amountError ? "true" : null });
    text(parts.amountError, this.amountError ?? "");
    const has = this.held();
    text(
      parts.holding,
      store.state.account && (form.side === "sell" || isPositive(has)) ? `You hold ${held(has)}` : "",
    );
    parts.holding.title = exactShares(has);
    this.renderSlider();
    const wanted = form.side === "sell" ? "sell" : form.unit;
    for (const group of $$("[data-chips]", parts.chips)) group.hidden = group.dataset.chips !== wanted;
  }

  // sellPart types a part of what is held, in hundredths.
  sellPart(hundredths) {
    const part = (units(this.held()) * BigInt(hundredths)) / 100n;
    this.fill(part > 0n ? decimal(part) : "");
  }

  // slide types the part of what there is that the slider stands at.
  slide(hundredths) {
    const sells = this.model.form.side === "sell";
    const part = sells
      ? (units(this.held()) * BigInt(hundredths)) / 100n
      : (this.spendable() * BigInt(hundredths ** 2)) / 10_000n;
    const shown = hundredths === 100 ? part : part - (part % 10_000n); // to the hundredth
    this.type(shown > 0n ? typeable(decimal(shown)) : "");
  }

  // spendable is what the slider's end stands for: the balance, or for who has none yet what newcomers try.
  spendable() {
    return units(store.state.account?.balance ?? "100.000000");
  }

  renderSlider() {
    const { slider } = this.parts;
    const { form } = this.model;
    slider.hidden = form.side === "buy" && form.unit === "shares";
    if (slider.hidden || document.activeElement === slider) return;
    const most = Number(form.side === "sell" ? units(this.held()) : this.spendable());
    const part = most > 0 && form.amount ? Math.min(1, Number(units(form.amount)) / most) : 0;
    slider.value = String(Math.round(100 * (form.side === "sell" ? part : Math.sqrt(part))));
  }

  spendAll() {
    this.fill(store.state.account?.balance ?? "");
  }

  renderQuote() {
    const { parts, model } = this;
    const quote = model.quote ?? this.lastQuote;
    const fits = quote && quote.outcome === model.form.outcome && quote.side === model.form.side;
    parts.quote.hidden = parts.slippage.hidden = model.state === "filled";
    set(parts.quote, { "data-old": !model.quote && model.form.amount !== null });
    if (model.quote) this.lastQuote = model.quote;
    const has =
      store.state.account && model.form.side === "sell" && fits && units(this.held()) >= units(quote.shares)
        ? this.held()
        : null;
    const lines =
      fits && model.form.amount
        ? quoteLines(model.form, quote, { bps: this.bps, has })
        : [
            ["Average price", "–"],
            ["Price impact", "–"],
            [model.form.side === "buy" ? `Pays if ${label(model.form.outcome)}` : "You receive", "–"],
          ];
    parts.quote.replaceChildren(
      ...lines.map(([name, value, exact, kind]) =>
        h("div", { class: kind || null }, h("dt", {}, name), h("dd", { class: "num", title: exact }, value)),
      ),
    );
  }

  renderMessage() {
    const { parts, model } = this;
    const shown = `${model.state} ${model.serial} ${model.receipt?.back?.words ?? ""} ${model.quote?.version ?? ""}`;
    const asks = ["stale", "refused", "unknown", "filled"].includes(model.state);
    if (!asks) return parts.message.replaceChildren();
    if (parts.message.dataset.shown === shown && parts.message.firstChild) return;
    parts.message.dataset.shown = shown;
    parts.message.replaceChildren(
      message(model, { cancel: () => this.cancel(), requote: () => this.confirm(), back: () => this.wayBack() }),
    );
  }

  renderButton(asks) {
    const { parts, model } = this;
    const signedOut = !store.state.account;
    const waits = this.waits();
    set(parts.submit, {
      disabled: waits !== null,
      hidden: asks,
      "aria-busy": model.state === "sending" ? "true" : null,
    });
    const words = signedOut ? "Sign in to trade" : (waits ?? orderWords(model.form, model.quote));
    text(parts.submit, words);
    text(parts.state, stateWords[model.state](model));
    set(parts.state, { "data-state": model.state });
  }
}

customElements.define("trade-ticket", TradeTicket);
