import { $$ } from "../dom.js";
import { ages } from "../components/ages.js";

ages(document);

// Who follows a notification has read it. The beacon is sent though the page goes away.
for (const item of $$(".notice-item.unread")) {
  item.addEventListener("click", (event) => {
    if (!event.target.closest("[data-read]")) return;
    const body = new Blob([JSON.stringify({ ids: [Number(item.dataset.id)] })], { type: "application/json" });
    navigator.sendBeacon("/api/v1/notifications/read", body);
  });
}
