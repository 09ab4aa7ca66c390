import { once } from "node:events";
import { connect, type Socket } from "node:net";

export const TINY_ATR = Uint8Array.of(0x3b, 0x80, 0x80, 0x01, 0x01);
export const TINY_UID = Uint8Array.of(0x04, 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6);

/** What the tiny card makes of the instruction byte. */
export const INS = {
  /** Answers with the command's data; extended lengths too. */
  echo: 0x10,
  /** Is never answered. */
  silence: 0x20,
  /** The card is lifted before it answers. */
  lift: 0x30,
  /** How often the card was powered on or reset, one byte. */
  powered: 0x40,
} as const;

/** A card that fits into one file: the far end of vpcd's protocol, made of nothing that is tested. */
export class TinyCard {
  powerCount = 0;
  readonly apdus: Uint8Array[] = [];
  readonly #arrived: (() => void)[] = [];
  readonly #atr: Uint8Array;

  constructor(atr: Uint8Array = TINY_ATR) {
    this.#atr = atr;
  }

  /** The answer to a frame: undefined for none, "lift" where the card goes. */
  answer(frame: Uint8Array): Uint8Array | undefined | "lift" {
    if (frame.length === 1) {
      if (frame[0] === 4) return this.#atr;
      if (frame[0] !== 0) this.powerCount++;
      return undefined;
    }
    this.apdus.push(frame);
    for (const arrived of this.#arrived.splice(0)) arrived();
    if (frame[0] === 0xff && frame[1] === 0xca) return Uint8Array.of(...TINY_UID, 0x90, 0);
    switch (frame[1]) {
      case 0xa4:
        return Uint8Array.of(0x90, 0);
      case INS.echo: {
        // Lc of one byte, or of three where the first is 0 (ISO 7816-4 §5.2).
        const extended = frame[4] === 0;
        const data = frame.subarray(extended ? 7 : 5);
        const answer = new Uint8Array(data.length + 2);
        answer.set(data);
        answer[data.length] = 0x90;
        return answer;
      }
      case INS.silence:
        return undefined;
      case INS.lift:
        return "lift";
      case INS.powered:
        return Uint8Array.of(this.powerCount, 0x90, 0);
      default:
        return Uint8Array.of(0x6d, 0);
    }
  }

  /** Resolves when the next APDU has come. */
  nextApdu(): Promise<void> {
    return new Promise((resolve) => this.#arrived.push(resolve));
  }
}

export function framed(data: Uint8Array): Uint8Array {
  return Uint8Array.of(data.length >> 8, data.length & 0xff, ...data);
}

/** Cuts a stream of frames. */
export function frameCutter(): (bytes: Uint8Array) => Uint8Array[] {
  let held = Buffer.alloc(0);
  return (bytes) => {
    held = Buffer.concat([held, bytes]);
    const frames: Uint8Array[] = [];
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE()) {
      const length = held.readUInt16BE();
      frames.push(new Uint8Array(held.subarray(2, 2 + length)));
      held = held.subarray(2 + length);
    }
    return frames;
  };
}

/** Lays a card on a reader of pcscd. */
export async function layCard(port: number, card = new TinyCard()): Promise<{ readonly card: TinyCard; lift(): Promise<void> }> {
  const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const closed = once(socket, "close");
  socket.on("error", () => {});
  const cut = frameCutter();
  socket.on("data", (bytes) => {
    for (const frame of cut(bytes)) {
      const answer = card.answer(frame);
      if (answer === "lift") socket.destroy();
      else if (answer) socket.write(framed(answer));
    }
  });
  return {
    card,
    async lift() {
      socket.destroy();
      await closed;
    },
  };
}
