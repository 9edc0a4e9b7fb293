// A watcher in a process of its own: the browser's module, outside a browser. It prints each frame
// that the module hands over on a line, until its standard input ends.
import "../websocket.mjs";
import { Feed } from "../../static/js/feed.js";

const [url, ...markets] = process.argv.slice(2);
const say = (frame) => process.stdout.write(JSON.stringify(frame) + "\n");
let was = null;
const feed = new Feed({
  url: url.replace(/^http/, "ws") + "/ws",
  onFrame: say,
  onStatus: ({ reason }) => {
    if (reason !== was && (reason === "reconnecting" || reason === "polling" || reason === "silent")) say({ op: "reconnecting", code: reason });
    was = reason;
  },
});
for (const market of markets) feed.subscribe(market);
feed.start();
process.stdin.on("end", () => process.exit(0)).resume();
