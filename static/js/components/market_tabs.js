// <market-tabs>: tabs by the book: arrows move, the address remembers. Without scripts they are links.
import { $, $$ } from "../dom.js";

class MarketTabs extends HTMLElement {
  connectedCallback() {
    this.tabs = $$("[role=tab]", this);
    for (const tab of this.tabs) tab.addEventListener("click", (event) => this.follow(event, tab));
    $("[role=tablist]", this).addEventListener("keydown", (event) => this.move(event));
    const named = this.tabs.find((t) => t.id === `tab-${location.hash.slice(1)}`);
    if (named) this.show(named, true);
  }

  follow(event, tab) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return; // to a window of its own
    event.preventDefault();
    this.show(tab, true);
  }

  move(event) {
    if (event.key === " ") {
      event.preventDefault();
      return event.target.click();
    }
    const at = this.tabs.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = this.tabs.at(to % this.tabs.length);
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
    if (remember) history.replaceState(null, "", tab.href);
    document.getElementById(tab.getAttribute("aria-controls")).dispatchEvent(new Event("shown"));
  }
}

customElements.define("market-tabs", MarketTabs);
