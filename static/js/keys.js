// The keyboard, all of it in one table, which is also the help.
import { $, $$, h, isTyping } from "./dom.js";

const ticket = () => $("trade-ticket");

const keys = [
  { key: "/", help: "search", run: () => $("#search").focus() },
  { key: "j", help: "next market", run: () => move(1), on: "market-list" },
  { key: "k", help: "previous market", run: () => move(-1), on: "market-list" },
  { key: "Enter", help: "open the market, or send the order", on: "market-list" },
  { key: "b", help: "buy", run: () => ticket().choose({ side: "buy" }), on: "trade-ticket" },
  { key: "s", help: "sell", run: () => ticket().choose({ side: "sell" }), on: "trade-ticket" },
  { key: "y", help: "Yes, or the first outcome", run: () => ticket().chooseNth(0), on: "trade-ticket" },
  { key: "n", help: "No, or the second outcome", run: () => ticket().chooseNth(1), on: "trade-ticket" },
  { key: "Esc", help: "cancel, close, leave a field" },
  { key: "?", help: "this list", run: () => openHelp() },
];

export function start() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape") return leave(event);
    if (isTyping(event.target) || $("dialog[open]")) return;
    const bound = keys.find((k) => k.key === event.key && k.run && (!k.on || $(k.on)));
    if (!bound) return;
    event.preventDefault();
    bound.run();
  });
  $("#help-button")?.addEventListener("click", openHelp);
}

function leave(event) {
  if (ticket()?.escape()) return;
  if (isTyping(event.target)) event.target.blur();
}

function move(by) {
  const links = $$(".row-link");
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by))];
  next?.focus();
}

function openHelp() {
  const old = $("#help");
  old?.remove();
  const rows = keys
    .filter((k) => !k.on || $(k.on))
    .map((k) => h("div", {}, h("dt", {}, h("kbd", {}, k.key)), h("dd", {}, k.help)));
  const dialog = h(
    "dialog",
    { id: "help", "aria-label": "Keyboard shortcuts", onclick: (e) => e.target === dialog && dialog.close() },
    h(
      "div",
      { class: "help" },
      h("h2", {}, "Keyboard"),
      h("dl", {}, rows),
      h("form", { method: "dialog" }, h("button", { class: "button" }, "Close")),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
}
