// <feed-badge>: how fresh the numbers are, honestly. Its state also dims stale prices, by CSS.
import { $, announce, set, text } from "../dom.js";
import { Watching } from "../live.js";
import { span } from "../time.js";

const LONG_ENOUGH_TO_SAY = 2_000;

const old = (word, why) => [({ age }) => `${word} (${span(age)})`, `${why}: prices are as old as shown.`];

// By reason, else by state: what the badge says, and means.
const words = {
  live: [
    ({ lag }) => (lag === null ? "Live" : `Live ${lag < 1_000 ? `${Math.round(lag)}\u202fms` : span(lag)}`),
    "Prices are as of now: the time is from commit to this page.",
  ],
  polling: [() => "Live, polling", "WebSockets do not get through here: prices are asked for every second."],
  catching_up: [() => "Catching up", "Connected, receiving what happened meanwhile."],
  stale: old("Stale", "The server has gone quiet, or lost its own connection"),
  reconnecting: old("Reconnecting", "The connection is lost, and being made again"),
  offline: old("Offline", "No network"),
  refused: old("Refused", "The server does not let this page in"),
};

class FeedBadge extends Watching {
  connectedCallback() {
    this.watch(
      (s) => s.feed,
      (feed) => this.render(feed),
    );
  }

  render(feed) {
    const { state, reason } = feed;
    const [say, meaning] = words[reason] ?? words[state];
    text($(".badge-text", this), say(feed));
    if (this.meaning === meaning) return;
    const wasLive = this.dataset.state === "live";
    this.meaning = this.title = meaning;
    set(this, { "data-state": state, "data-reason": reason });
    document.body.dataset.feed = state;
    clearTimeout(this.saying);
    if (this.started || state !== "live") {
      this.saying = setTimeout(() => announce(`${say(feed)}.`), wasLive ? LONG_ENOUGH_TO_SAY : 0);
    }
    this.started ||= state === "live";
  }
}

customElements.define("feed-badge", FeedBadge);
