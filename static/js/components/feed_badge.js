// <feed-badge>: how fresh the numbers are, honestly. Its state also dims stale prices, by CSS.
import { $, announce, text } from "../dom.js";
import { store } from "../live.js";
import { span } from "../time.js";

const LONG_ENOUGH_TO_SAY = 2_000;

const words = {
  live: ({ lag }) => (lag === null ? "Live" : `Live ${lag < 1_000 ? `${Math.round(lag)}\u202fms` : span(lag)}`),
  catching_up: () => "Catching up",
  reconnecting: ({ age }) => `Reconnecting (${span(age)})`,
  stale: ({ age }) => `Stale (${span(age)})`,
  offline: () => "Offline",
};

const meaning = {
  live: "Prices are as of now: the time is from commit to this page.",
  catching_up: "Connected, receiving what happened meanwhile.",
  reconnecting: "The connection is lost; prices are as old as shown. It is being made again.",
  stale: "Connected, but the server has gone quiet: prices are as old as shown.",
  offline: "No network: prices are from before.",
};

class FeedBadge extends HTMLElement {
  connectedCallback() {
    this.stop = store.watch((s) => s.feed, (feed) => this.render(feed));
  }

  disconnectedCallback() {
    this.stop();
  }

  render(feed) {
    text($(".badge-text", this), words[feed.state](feed));
    if (this.dataset.state === feed.state) return;
    const before = this.dataset.state;
    this.dataset.state = feed.state;
    this.title = meaning[feed.state];
    document.body.dataset.feed = feed.state;
    clearTimeout(this.saying);
    if (this.started || feed.state !== "live") {
      this.saying = setTimeout(() => announce(`${words[feed.state](feed)}.`), before === "live" ? LONG_ENOUGH_TO_SAY : 0);
    }
    this.started ||= feed.state === "live";
  }
}

customElements.define("feed-badge", FeedBadge);
