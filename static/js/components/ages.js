import { $$, text } from "../dom.js";
import { ago, full } from "../time.js";

// ages shows the times that the server drew as how long ago they were.
export function ages(root) {
  for (const time of $$("time[data-ago]", root)) {
    text(time, ago(time.dateTime));
    time.title = full(time.dateTime);
  }
}
