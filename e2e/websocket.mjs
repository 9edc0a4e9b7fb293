// A WebSocket for tests in Node before version 22, which has none: the callbacks, send and close of a
// browser's, for text messages over ws://. It answers pings and says nothing of extensions.
import { randomBytes } from "node:crypto";
import { request } from "node:http";

const TEXT = 1,
  CLOSE = 8,
  PING = 9,
  PONG = 10;

class Socket {
  constructor(url) {
    const headers = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": 13,
      "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
    };
    this.request = request(url.replace(/^ws/, "http"), { headers, agent: false });
    this.request.on("error", () => this.ended());
    this.request.on("response", (answer) => {
      answer.destroy();
      this.ended();
    });
    this.request.on("upgrade", (_, wire, head) => {
      this.wire = wire.setNoDelay();
      wire.on("error", () => this.ended()).on("close", () => this.ended());
      this.onopen?.({});
      this.rest = head;
      this.read();
      wire.on("data", (bytes) => {
        this.rest = Buffer.concat([this.rest, bytes]);
        this.read();
      });
    });
    this.request.end();
  }

  send(text) {
    this.write(TEXT, Buffer.from(text));
  }

  close() {
    this.wire?.end();
    if (!this.wire) this.request.destroy();
  }

  write(kind, payload) {
    const length =
      payload.length < 126 ? [0x80 | payload.length] : [0x80 | 126, payload.length >> 8, payload.length & 255];
    const mask = randomBytes(4);
    this.wire.write(
      Buffer.concat([Buffer.from([0x80 | kind, ...length]), mask, payload.map((byte, i) => byte ^ mask[i % 4])]),
    );
  }

  // read takes whole frames from what has come; a server's are not masked.
  read() {
    for (;;) {
      if (this.rest.length < 2) return;
      const short = this.rest[1];
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (this.rest.length < header) return;
      const length =
        short < 126 ? short : short === 126 ? this.rest.readUInt16BE(2) : Number(this.rest.readBigUInt64BE(2));
      if (this.rest.length < header + length) return;
      const kind = this.rest[0] & 15,
        payload = this.rest.subarray(header, header + length);
      this.rest = this.rest.subarray(header + length);
      if (kind === TEXT) this.onmessage?.({ data: payload.toString() });
      if (kind === PING) this.write(PONG, payload);
      if (kind === CLOSE) return this.ended(length < 2 ? 1005 : payload.readUInt16BE(0));
    }
  }

  ended(code = 1006) {
    if (this.over) return;
    this.over = true;
    this.wire?.destroy();
    this.onclose?.({ code });
  }
}

globalThis.WebSocket ??= Socket;
