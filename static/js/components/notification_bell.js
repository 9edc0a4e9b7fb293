// <notification-bell>: how much there is to read for who is signed in. It is counted again when a
// market on the page has an event that may concern one: anything but trades.
import { call } from "../api.js";
import { $, set, text } from "../dom.js";
import { Watching } from "../live.js";

const SOON = 400;
const SPREAD = 1200; // not all readers of a market at once

class NotificationBell extends Watching {
  connectedCallback() {
    this.watch(
      (s) => s.account?.handle ?? null,
      (handle) => {
        this.hidden = !handle;
        this.handle = handle;
        this.show(0);
        this.later(0);
      },
    );
    this.watch(
      (s) => s.told,
      () => this.later(SOON + Math.random() * SPREAD),
    );
    this.ends.push(() => clearTimeout(this.timer));
  }

  later(pause) {
    clearTimeout(this.timer);
    if (this.handle) this.timer = setTimeout(() => this.count(), pause);
  }

  async count() {
    const { handle } = this;
    try {
      const { unread } = await call("GET", "/notifications?limit=0");
      if (handle === this.handle) this.show(unread);
    } catch {
      // The next event counts again.
    }
  }

  show(unread) {
    const count = $(".bell-count", this);
    text(count, unread > 99 ? "99+" : String(unread));
    count.hidden = unread === 0;
    set($("a", this), { "aria-label": unread ? `Notifications: ${unread} not read` : "Notifications" });
  }
}

customElements.define("notification-bell", NotificationBell);
