import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { frameCutter, framed, TinyCard } from "./tiny-card.js";

export interface CardListener {
  readonly port: number;
  lay(card?: TinyCard): Promise<{ readonly card: TinyCard; lift(): Promise<void> }>;
  close(): Promise<void>;
}

/** The far end of vpcd's protocol where the reader's side connects: an APDU that waits for a lifted card is answered by an empty frame. */
export async function listenForReader(): Promise<CardListener> {
  const sockets = new Set<Socket>();
  let card: TinyCard | undefined;
  let waiting = false;
  const say = (socket: Socket, data: Uint8Array): void => {
    waiting = false;
    socket.write(framed(data));
  };
  const lift = async (): Promise<void> => {
    card = undefined;
    if (waiting) for (const socket of sockets) say(socket, new Uint8Array());
  };
  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay());
    socket.on("error", () => {});
    const cut = frameCutter();
    socket.on("data", (bytes) => {
      for (const frame of cut(bytes)) {
        if (frame.length === 1 && frame[0] !== 4) {
          card?.answer(frame);
          continue;
        }
        const answer = card ? card.answer(frame) : new Uint8Array();
        if (answer === "lift") card = undefined;
        waiting = answer === undefined;
        if (answer) say(socket, answer === "lift" ? new Uint8Array() : answer);
      }
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    async lay(next = new TinyCard()) {
      card = next;
      return { card: next, lift };
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server.close(), "close");
    },
  };
}
