// <theme-toggle>: light or dark, until now whatever the system says.
import { $, keep } from "../dom.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

const chosen = () => document.documentElement.dataset.theme;
const current = () => chosen() ?? (dark.matches ? "dark" : "light");

class ThemeToggle extends HTMLElement {
  connectedCallback() {
    $("button", this).addEventListener("click", () => this.toggle());
    dark.addEventListener("change", () => this.render());
    this.render();
  }

  // toggle overrides the system, or goes back to following it when both would be the same.
  toggle() {
    const next = current() === "dark" ? "light" : "dark";
    const system = dark.matches ? "dark" : "light";
    const root = document.documentElement;
    if (next === system) delete root.dataset.theme;
    else root.dataset.theme = next;
    keep("localStorage", "theme", next === system ? null : next);
    this.render();
  }

  render() {
    const other = current() === "dark" ? "light" : "dark";
    $("button", this).setAttribute("aria-label", `Switch to the ${other} theme`);
    $("button", this).title = `Switch to the ${other} theme`;
    document.dispatchEvent(new Event("themechange"));
  }
}

customElements.define("theme-toggle", ThemeToggle);
