import { once } from "node:events";
import { connect } from "node:net";
import { WebSocket } from "ws";
import { concatBytes } from "../../src/kernel/bytes.js";
import { startStation, type TestStation } from "../../src/testing.js";
import { type Decoder, insist, utf8 } from "./decoder.js";
import { type Dice, textOf } from "./inputs.js";
import { requests } from "./text-decoders.js";

/** Connections are counted per origin: hostile ones take turns, so that the budget is not all that is tried. */
const ORIGINS = Array.from({ length: 200 }, (_, index) => `http://127.0.0.1:${20_000 + index}`);
const FENCE_EVERY = 64;
/** Requests that wait fill the client's share: after so many a new client begins with an empty one. */
const NEW_CLIENT_EVERY = 1_000;

interface Client {
  readonly ws: WebSocket;
  /** Resolves when the agent has answered all that was sent before, or has closed the connection. */
  fence(): Promise<void>;
}

async function openClient(station: TestStation, origin: string, token: string | undefined): Promise<Client> {
  const ws = new WebSocket(station.url, "station.v1", { origin, perMessageDeflate: false });
  ws.on("error", () => {});
  await Promise.race([once(ws, "open"), once(ws, "close")]);
  const waiting = new Map<string, () => void>();
  const letGo = (): void => {
    for (const resolve of waiting.values()) resolve();
  };
  ws.on("close", letGo);
  ws.on("message", (data, isBinary) => {
    if (isBinary) return;
    const { id } = JSON.parse(String(data)) as { id?: unknown };
    if (typeof id === "string") waiting.get(id)?.();
  });
  let asked = 0;
  const ask = (method: string, params: object): Promise<void> =>
    new Promise((resolve) => {
      const id = `fence-${asked++}`;
      if (ws.readyState !== WebSocket.OPEN) return resolve();
      waiting.set(id, () => {
        waiting.delete(id);
        resolve();
      });
      ws.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  await ask("session.hello", { protocol: { major: 1, minor: 0 }, client: { name: "fuzz", version: "1" }, ...(token ? { token } : {}) });
  return { ws, fence: () => ask("devices.list", {}) };
}

/** Behind a sound upgrade, or instead of one: frames that may lie about everything. */
async function rawBytes(station: TestStation, origin: string, input: Uint8Array, dice: Dice): Promise<void> {
  const { port } = new URL(station.url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  const closed = once(socket, "close");
  const headers = `Host: 127.0.0.1:${port}\r\nOrigin: ${origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: station.v1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`;
  const kind = dice.roll(4);
  if (kind === 0) socket.end(input);
  else if (kind === 1) socket.end(concatBytes([utf8("GET /v1 HTTP/1.1\r\n"), input, utf8("\r\n\r\n")]));
  else {
    const length = dice.roll(2) ? Math.min(input.length, 125) : dice.roll(128);
    const head = Uint8Array.of(dice.roll(4) ? 0x81 : dice.roll(256), (dice.roll(8) ? 0x80 : 0) | length);
    socket.end(concatBytes([utf8(`GET /v1 HTTP/1.1\r\n${headers}\r\n`), head, dice.bytes(4), input]));
  }
  await closed;
}

export function webSocket(): Decoder {
  let station: TestStation | undefined;
  let client: Client | undefined;
  let turn = 0;
  const send = (ws: WebSocket, input: Uint8Array, dice: Dice): void => {
    const kind = dice.roll(400);
    if (kind === 0) ws.send(input, { binary: true });
    // Bytes as text that may be no UTF-8.
    else if (kind === 1) ws.send(input, { binary: false });
    else if (kind === 2) ws.ping(input.subarray(0, 125));
    else ws.send(textOf(dice, input));
  };
  return {
    name: "WebSocket of a whole agent",
    files: ["server/inbound.ts", "server/connection.ts", "server/session.ts", "server/server.ts"],
    weight: 5,
    samples: requests,
    async run(input, dice) {
      station ??= await startStation({ seed: 1, origins: ORIGINS });
      const origin = ORIGINS[turn % ORIGINS.length] as string;
      turn++;
      if (turn % 40 === 0) return await rawBytes(station, origin, input, dice);
      if (client === undefined || client.ws.readyState !== WebSocket.OPEN || turn % NEW_CLIENT_EVERY === 0) {
        client?.ws.terminate();
        client = await openClient(station, origin, dice.roll(2) ? station.tokens.technician : undefined);
      }
      if (client.ws.readyState === WebSocket.OPEN) send(client.ws, input, dice);
      if (turn % FENCE_EVERY === 0) await client.fence();
    },
    async end() {
      client?.ws.terminate();
      client = undefined;
      if (!station) return;
      await using agent = station;
      station = undefined;
      const technician = await agent.connect("technician");
      await technician.call("agent.maintenance", { on: false });
      const kiosk = await agent.connect();
      const { devices } = await kiosk.call("devices.list", {});
      insist(devices.length === 3, "the agent has lost a device");
      const document = { blocks: [{ type: "text" as const, text: "Sau cơn mưa" }] };
      const { state } = await kiosk.call("printer.print", { document, idempotencyKey: `fuzz-after-${turn}` });
      insist(state === "printed", `a good client's receipt is ${state}`);
    },
  };
}
