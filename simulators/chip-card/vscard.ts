import { concatBytes } from "../../src/kernel/bytes.js";
import type { FarEnd, Simulator } from "../simulator.js";
import { createFrames, frame, VPCD_ORDERS } from "./vpcd.js";

/**
 * Lays a simulated card on QEMU's virtual CCID reader. The wire is QEMU's ccid-card-passthru (libcacard's vscard_common.h):
 * type, reader and length as 32-bit numbers, most significant byte first, then so many bytes.
 */
const TYPE = { init: 1, error: 2, readerAdd: 3, atr: 5, cardRemove: 6, apdu: 7 } as const;
const HEADER_BYTES = 12;
const VERSION = 2;
const NO_READER = 0xffffffff;
/** The passthru knows one reader. */
const READER = 0;

export interface ServedVscard {
  /** The virtual reader is another one now: it was plugged in (again). */
  greet(): Promise<void>;
}

/** Serves until the signal aborts. The simulator's card is inserted and removed by its own actions. */
export function serveVscard(simulator: Simulator, wire: FarEnd, signal: AbortSignal): ServedVscard {
  let card: Card | undefined;
  const send = (type: number, content: Uint8Array = new Uint8Array(), reader = READER): Promise<void> =>
    wire.write(concatBytes([header(type, reader, content.length), content]), signal);
  const lay = async (): Promise<void> => {
    const laid = createCard();
    card = laid;
    simulator.attach(laid.farEnd);
    const atr = await laid.atr();
    if (atr && card === laid) await send(TYPE.atr, atr);
  };
  const presence = (present: boolean): void => {
    const told = present ? lay() : send(TYPE.cardRemove);
    if (!present) card = undefined;
    // The wire has ended: so does the reading, below.
    told.catch(() => {});
  };
  let present = false;
  const forget = simulator.onPresence?.((now) => {
    if (now !== present) presence(now);
    present = now;
  });
  const serve = async (): Promise<void> => {
    const messages = createMessages();
    while (!signal.aborted) {
      for (const { type, content } of messages(await wire.read(signal))) {
        const answer = type === TYPE.apdu ? await card?.exchange(content) : undefined;
        if (answer) await send(TYPE.apdu, answer);
      }
    }
  };
  const over = (): void => {
    forget?.();
    simulator.detach();
  };
  serve().then(over, over);
  return {
    async greet() {
      await send(TYPE.init, concatBytes([new TextEncoder().encode("VSCD"), words(VERSION, 0)]), NO_READER);
      await send(TYPE.readerAdd, new TextEncoder().encode("stationd\0"), NO_READER);
      if (present) await lay();
    },
  };
}

/** Undefined comes from a card that was lifted meanwhile. */
interface Card {
  readonly farEnd: FarEnd;
  atr(): Promise<Uint8Array | undefined>;
  exchange(apdu: Uint8Array): Promise<Uint8Array | undefined>;
}

/** The reader's side of the simulator's own wire. */
function createCard(): Card {
  const orders: Uint8Array[] = [];
  const frames = createFrames();
  let asked: (() => void) | undefined;
  let answered: ((content: Uint8Array | undefined) => void) | undefined;
  let lift = (): void => {};
  const closed = new Promise<void>((resolve) => {
    lift = resolve;
  });
  const order = (content: Uint8Array): void => {
    orders.push(frame(content));
    asked?.();
  };
  const exchange = (content: Uint8Array): Promise<Uint8Array | undefined> =>
    new Promise((resolve) => {
      answered = resolve;
      void closed.then(() => resolve(undefined));
      order(content);
    });
  return {
    exchange,
    async atr() {
      order(Uint8Array.of(VPCD_ORDERS.powerOn));
      return await exchange(Uint8Array.of(VPCD_ORDERS.getAtr));
    },
    farEnd: {
      closed,
      async close() {
        lift();
      },
      async read() {
        while (orders.length === 0)
          await Promise.race([
            closed.then(() => Promise.reject(new RangeError("lifted"))),
            new Promise<void>((resolve) => {
              asked = resolve;
            }),
          ]);
        return orders.shift() ?? new Uint8Array();
      },
      async write(bytes) {
        for (const content of frames(bytes)) answered?.(content);
      },
    },
  };
}

/** Cuts the wire's bytes into messages. */
function createMessages(): (bytes: Uint8Array) => readonly { readonly type: number; readonly content: Uint8Array }[] {
  let held: Uint8Array = new Uint8Array();
  return (bytes) => {
    held = concatBytes([held, bytes]);
    const whole = [];
    for (;;) {
      if (held.length < HEADER_BYTES) return whole;
      const view = new DataView(held.buffer, held.byteOffset);
      const end = HEADER_BYTES + view.getUint32(8);
      if (held.length < end) return whole;
      whole.push({ type: view.getUint32(0), content: held.slice(HEADER_BYTES, end) });
      held = held.slice(end);
    }
  };
}

const header = (type: number, reader: number, length: number): Uint8Array => words(type, reader, length);

function words(...values: readonly number[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(values.length * 4));
  for (const [index, value] of values.entries()) bytes.setUint32(index * 4, value);
  return new Uint8Array(bytes.buffer);
}
