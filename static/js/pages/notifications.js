import { call } from "../api.js";
import { $$ } from "../dom.js";
import { ages } from "../components/ages.js";

ages(document);

// Who follows a notification has read it. The call is made though the page goes away.
for (const item of $$(".notice-item.unread")) {
  item.addEventListener("click", (event) => {
    if (!event.target.closest("[data-read]")) return;
    call("POST", "/notifications/read", { body: { ids: [Number(item.dataset.id)] }, keepalive: true }).catch(() => {});
  });
}
