// Every form that calls the API: <form data-call="POST /path"> sends its fields as one JSON object
// (with data-fields="query", as a query) and says what came of it. Fields that are empty are left out.
// How a field is sent:
//   data-as="list"  one item a line         data-as="number"  a JSON number
//   data-as="json"  true, false or a number, as it is written
//   data-as="amount"  credits or shares, as the reader's locale writes them
//   type="checkbox" true or false, or, of several of one name, the values that are checked
//   type="datetime-local"  the moment that it is here, in UTC
// On success the page goes to data-then, with {member} taken from the answer, or loads again; or,
// with data-show="id", that element is shown, and its [data-answer=member] say what the answer has.
// data-confirm asks first. A form button may have a data-call and data-confirm of its own.
import { call, newKey } from "./api.js";
import { $, $$, announce, h, set, text } from "./dom.js";
import { parseAmount } from "./numbers.js";
import { become } from "./shown.js";

const ways = {
  list: (value) =>
    value
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean),
  number: (value) => Number(value),
  json: (value) => JSON.parse(value),
  amount,
};

// amount reads a number that a person typed, or throws what is wrong with it.
export function amount(typed, options) {
  const { value, error } = parseAmount(typed, undefined, options);
  if (error) throw new Error(`${typed.trim()}: ${error}`);
  return value;
}

// bodyOf reads a form.
export function bodyOf(form, submitter) {
  const body = {};
  for (const field of form.elements) {
    const { name, type, value } = field;
    if (!name || field.disabled || (type === "radio" && !field.checked) || (type === "submit" && field !== submitter))
      continue;
    if (type === "checkbox") {
      const several = $$(`[name="${CSS.escape(name)}"]`, form).length > 1;
      if (!several) body[name] = field.checked;
      else if (field.checked) (body[name] ??= []).push(value);
      else body[name] ??= [];
    } else if (value.trim() !== "") {
      const sent =
        type === "datetime-local" ? new Date(value).toISOString() : (ways[field.dataset.as]?.(value) ?? value);
      const [outer, inner] = name.split(".");
      if (inner === undefined) body[name] = sent;
      else (body[outer] ??= []).push(sent);
    }
  }
  return body;
}

async function submit(event) {
  const form = event.target;
  const by = event.submitter;
  const [method, path] = (by?.dataset.call ?? form.dataset.call ?? "").split(" ");
  if (!path) return;
  event.preventDefault();
  const question = by?.dataset.confirm ?? form.dataset.confirm;
  if (question && !(await confirmed(question, by?.textContent))) return;
  say(form, "");
  const buttons = $$("button", form).filter((b) => !b.disabled);
  for (const b of buttons) b.disabled = true;
  try {
    form.dataset.key ??= newKey(); // one key an intention: asked again, it is done once
    const fields = bodyOf(form, by);
    const inQuery = form.dataset.fields === "query" && Object.keys(fields).length > 0;
    const body = inQuery || (method === "DELETE" && !Object.keys(fields).length) ? undefined : fields;
    const send = (proof) =>
      call(method, inQuery ? `${path}?${new URLSearchParams(fields)}` : path, {
        body: proof ? { ...body, current: proof } : body,
        headers: { "Idempotency-Key": form.dataset.key },
      });
    const answer = await send().catch((problem) => confirmOwner(problem, send));
    delete form.dataset.key;
    if (/^\/(session|account)$/.test(path)) become(); // until it leads on
    done(form, answer ?? {});
  } catch (problem) {
    if (problem.status) delete form.dataset.key;
    say(form, [problem.message, problem.hint].filter(Boolean).join("; "));
    $("[autofocus], input, textarea, select", form)?.focus();
  }
  for (const b of buttons) b.disabled = false;
}

function done(form, answer) {
  const { then, show, said } = form.dataset;
  if (said) announce(said);
  form.dispatchEvent(new CustomEvent("done", { bubbles: true, detail: answer }));
  if (show) {
    const shown = document.getElementById(show);
    for (const place of $$("[data-answer]", shown)) text(place, String(answer[place.dataset.answer] ?? ""));
    shown.hidden = false;
    shown.focus();
    form.reset();
  } else if (answer.location) location.assign(answer.location);
  else if (then === undefined) location.reload();
  else if (then) location.assign(then.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(answer[name] ?? "")));
  else form.reset();
}

// confirmOwner asks for the password where the server wants to know that it is not only the browser.
async function confirmOwner(problem, send) {
  if (!problem.password) throw problem;
  const field = h("input", {
    type: "password",
    autocomplete: "current-password",
    "aria-label": "Your password",
    maxlength: 200,
    required: true,
    "data-testid": "confirm-password",
  });
  if (
    !(await confirmed("Please type your password: this outlives the session of this browser.", "Go on", field)) ||
    !field.value
  )
    throw problem;
  return send(field.value);
}

// say puts words under a form.
export function say(form, words) {
  let place = $(".form-error", form);
  if (!place) form.append((place = h("p", { class: "form-error", role: "alert" })));
  text(place, words);
}

// confirmed asks in the page's own words, and names the act on its button.
export function confirmed(question, act = "Yes", field) {
  return new Promise((answer) => {
    const dialog = h(
      "dialog",
      { class: "confirm", onclose: () => (dialog.remove(), answer(dialog.returnValue === "yes")) },
      h(
        "form",
        { method: "dialog" },
        h("p", {}, question),
        field && h("div", { class: "field" }, field),
        h(
          "div",
          { class: "form-acts" },
          h("button", { class: "button", type: "button", autofocus: !field, onclick: () => dialog.close() }, "Cancel"),
          h("button", { class: "button button-strong", value: "yes" }, act),
        ),
      ),
    );
    document.body.append(dialog);
    set(dialog, { "aria-label": "Please confirm" });
    dialog.showModal();
  });
}

document.addEventListener("submit", submit);
