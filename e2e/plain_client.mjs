// What anybody writes who has read the README: node plain_client.mjs URL MARKET VERSION. It prints how
// many events it has heard, in order, when the market is at that version.
import "./websocket.mjs";

const [url, market, version] = process.argv.slice(2);
const socket = new WebSocket(url.replace(/^http/, "ws") + "/ws");
let heard = 0;
socket.onopen = () => socket.send(JSON.stringify({ op: "subscribe", market }));
socket.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  if (message.op === "snapshot") process.stdout.write("joined\n");
  if (message.op === "event") heard++;
  if (message.op === "event" && message.seq >= version) process.stdout.write(`${heard}\n`, () => process.exit(0));
};
