// <market-tabs>: tabs by the book: arrows move, the address remembers.
import { $, $$ } from "../dom.js";

class MarketTabs extends HTMLElement {
  connectedCallback() {
    this.tabs = $$("[role=tab]", this);
    for (const tab of this.tabs) tab.addEventListener("click", () => this.show(tab, true));
    $("[role=tablist]", this).addEventListener("keydown", (event) => this.move(event));
    const named = this.tabs.find((t) => t.id === `tab-${location.hash.slice(1)}`);
    if (named) this.show(named);
  }

  move(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const next = this.tabs.at((this.tabs.indexOf(document.activeElement) + by) % this.tabs.length);
    this.show(next, true);
    next.focus();
  }

  show(tab, remember = false) {
    for (const other of this.tabs) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
    }
    if (remember) history.replaceState(null, "", `#${tab.id.replace("tab-", "")}`);
  }
}

customElements.define("market-tabs", MarketTabs);
