// The order ticket as a state machine: pure, so that what it does with your money can be tested.
//
// Each row: in this state, this event leads to that state, and asks its owner to do this.
// What has no row is ignored; that is why a second click sends nothing, and why nothing is sent
// again unless somebody confirms it. Only `unknown` asks again, with the key of the same order.
export const table = {
  idle: {
    input: ["quoting", "quote"],
    clear: ["idle"],
  },
  quoting: {
    input: ["quoting", "quote"],
    clear: ["idle"],
    moved: ["quoting", "quote"],
    quoted: ["ready"],
    refused: ["refused"],
    lost: ["quoting", "quote_later"],
  },
  ready: {
    input: ["quoting", "quote"],
    clear: ["idle"],
    moved: ["ready", "quote"],
    quoted: ["ready"],
    refused: ["refused"],
    lost: ["ready", "quote_later"],
    confirm: ["sending", "send"],
  },
  sending: {
    filled: ["filled", "celebrate"],
    stale: ["stale"],
    refused: ["refused"],
    lost: ["unknown", "ask_again"],
  },
  unknown: {
    filled: ["filled", "celebrate"],
    stale: ["stale"],
    refused: ["refused"],
    lost: ["unknown", "ask_again"],
  },
  stale: {
    input: ["quoting", "quote"],
    clear: ["idle"],
    cancel: ["quoting", "quote"],
    confirm: ["sending", "send"],
  },
  refused: {
    input: ["quoting", "quote"],
    clear: ["idle"],
    cancel: ["quoting", "quote"],
  },
  filled: {
    input: ["quoting", "quote"],
    clear: ["idle"],
    cancel: ["idle"],
  },
};

export const initial = {
  state: "idle",
  action: null, // what the owner has to do now
  serial: 0, // counts what was typed; answers about older input are dropped
  form: { outcome: null, side: "buy", unit: "spend", amount: null }, // amount: canonical decimal
  quote: null,
  was: null, // the quote that went stale
  order: null, // {key, body} that was confirmed
  receipt: null,
  problem: null,
};

// step is the model after an event {type, …}; the same model when the state has no row for it,
// or when it answers a question that is no longer asked.
export function step(model, event) {
  const row = table[model.state][event.type];
  if (!row || (event.serial !== undefined && event.serial !== model.serial)) return model;
  const [state, action = null] = row;
  return { ...model, ...effects[event.type]?.(model, event), state, action };
}

const effects = {
  input: (model, { form }) => ({
    form,
    serial: model.serial + 1,
    problem: null,
    ...(differs(model, form) && { quote: null }),
  }),
  clear: (model, { form }) => ({ form, serial: model.serial + 1, quote: null, problem: null }),
  quoted: (_, { quote }) => ({ quote, problem: null }),
  confirm: (model, { key, settings }) => ({
    order: { key, body: orderBody(model, settings) },
    receipt: null,
    problem: null,
  }),
  filled: (_, { receipt }) => ({ receipt, order: null, quote: null }),
  stale: (model, { quote, problem }) => ({ was: model.quote, quote, problem, order: null }),
  refused: (_, { problem }) => ({ problem, order: null }),
  cancel: (model) => ({
    serial: model.serial + 1,
    quote: null,
    receipt: null,
    problem: null,
    ...(model.state === "filled" && { form: { ...model.form, amount: null } }),
  }),
};

const differs = (model, form) => JSON.stringify(model.form) !== JSON.stringify(form);

// quoteQuery is what to ask a quote for.
export const quoteQuery = ({ outcome, side, unit, amount }) => ({ outcome, side, [unit]: amount });

// orderBody is the order as confirmed: bound to the average price that the quote showed, within
// the tolerance; after its deadline an order that was lost on the way can no longer fill.
export function orderBody({ form, quote }, { slippageBps, deadline }) {
  return {
    ...quoteQuery(form),
    expected_price: quote.avg_price,
    expected_version: quote.version,
    max_slippage_bps: slippageBps,
    ...(deadline && { deadline }),
  };
}

// resume is a ticket that was left in the middle of an order: it starts by asking what became of it.
export const resume = (order, form) => ({ ...initial, state: "unknown", action: "ask_again", order, form });
