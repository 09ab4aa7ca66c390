import { concatBytes } from "../../src/kernel/bytes.js";
import type { Clock } from "../../src/kernel/clock.js";
import type { Random } from "../../src/kernel/random.js";
import { type Apdu, createApduSplitter, decodeApdu, encodeApdu } from "./apdu.js";
import type { Faults } from "./faults.js";
import { ACK, createBlockReader, encodeBlock, NAK } from "./serial-block.js";

/** Messages over one wire, with the faults of the line. */
export interface Line {
  receive(bytes: Uint8Array): void;
  /** Resolves true when the other side has it: acknowledged (serial), or sent (TCP). One message after the other. */
  send(command: number, body?: Uint8Array): Promise<boolean>;
  /** Half of a message, and nothing after it. */
  sendHalf(command: number, body?: Uint8Array): Promise<void>;
}

export interface LineContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
  readonly t1Ms: number;
  readonly t2Ms: number;
  /** Aborts when the wire has ended. */
  readonly gone: AbortSignal;
  put(bytes: Uint8Array): Promise<void>;
  cut(): Promise<void>;
  onApdu(apdu: Apdu): void;
}

const GAP_MS = 250;
/** "At most twice": three times in all. */
const SENDINGS = 3;

const half = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, Math.ceil(bytes.length / 2));

/** Puts bytes on the wire, whole or as a bad line would. False: the rest never comes. */
async function emit({ faults, random, clock, gone, put }: LineContext, command: number, bytes: Uint8Array): Promise<boolean> {
  if (faults.take("garbage", { command })) await put(random.bytes(20));
  if (faults.take("truncated", { command })) {
    await put(half(bytes));
    return false;
  }
  const gap = faults.take("gap", { command });
  if (gap) {
    await put(half(bytes));
    await clock.sleep(gap.ms ?? GAP_MS, gone).catch(() => {});
    await put(bytes.subarray(half(bytes).length));
  } else if (faults.take("fragments", { command })) {
    for (const byte of bytes) await put(Uint8Array.of(byte));
  } else await put(bytes);
  return true;
}

/** Runs one thing after the other. */
function oneByOne<T>(): (work: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = tail.then(work);
    tail = result.catch(() => {});
    return result;
  };
}

/** Bare messages: no acknowledgement, no CRC (PA00P015, ZVT over TCP/IP). */
export function createTcpLine(context: LineContext): Line {
  const split = createApduSplitter();
  const queue = oneByOne<boolean>();
  const inbound = oneByOne<void>();
  let held: Uint8Array = new Uint8Array();
  return {
    receive(bytes) {
      for (const apdu of split(bytes)) {
        void inbound(async () => {
          context.onApdu(apdu);
          // A command that comes in one piece with the answer before it finds what that answer ended at its end.
          if (apdu.command >> 8 === 0x80) await new Promise((resolve) => setImmediate(resolve));
        });
      }
    },
    send: (command, body) =>
      queue(async () => {
        const bytes = concatBytes([held, encodeApdu(command, body)]);
        held = new Uint8Array();
        if (command === 0x8000 && context.faults.take("coalesced")) {
          held = bytes;
          return true;
        }
        // The rest of a stream would make no sense.
        if (!(await emit(context, command, bytes))) await context.cut();
        return !context.gone.aborted;
      }),
    sendHalf: (command, body) => context.put(half(encodeApdu(command, body))),
  };
}

/** Blocks that the other side acknowledges, one at a time (PA00P015, serial transport). */
export function createSerialLine(context: LineContext): Line {
  const { clock, faults, gone, t1Ms, t2Ms } = context;
  const reader = createBlockReader();
  const queue = oneByOne<boolean>();
  let between: Disposable | undefined;
  let hear: ((said: "ack" | "nak") => void) | undefined;
  /** The block that came last, while the other side may not know that we have it. */
  let taken: string | undefined;

  /** There are no sequence numbers: the same block again, before our answer was acknowledged, is one whose ACK was lost. */
  const accept = (bytes: Uint8Array): void => {
    const apdu = decodeApdu(bytes);
    if (!apdu || faults.take("nak")) return void context.put(Uint8Array.of(NAK));
    if (!faults.take("ack-not-sent")) void context.put(Uint8Array.of(ACK));
    const same = bytes.join();
    if (same === taken) return;
    taken = same;
    context.onApdu(apdu);
  };

  const acknowledged = async (): Promise<"ack" | "nak" | "none"> => {
    let timer: Disposable | undefined;
    let onGone = (): void => {};
    try {
      return await new Promise<"ack" | "nak" | "none">((resolve) => {
        onGone = () => resolve("none");
        if (gone.aborted) onGone();
        gone.addEventListener("abort", onGone, { once: true });
        hear = (said) => {
          if (said === "ack" && faults.take("ack-not-seen")) return;
          // At once: the answer that comes with the ACK may be the same block as the one before.
          if (said === "ack") taken = undefined;
          resolve(said);
        };
        timer = clock.timer(t2Ms, onGone);
      });
    } finally {
      hear = undefined;
      timer?.[Symbol.dispose]();
      gone.removeEventListener("abort", onGone);
    }
  };

  const sendBlock = async (command: number, body: Uint8Array | undefined): Promise<boolean> => {
    for (let sending = 0; sending < SENDINGS && !gone.aborted; sending++) {
      const block = encodeBlock(encodeApdu(command, body));
      if (faults.take("bad-crc", { command })) block.set([(block.at(-1) ?? 0) ^ 0xff], block.length - 1);
      // Heard from the first byte on: an ACK may come before the write resolves.
      const answer = acknowledged();
      await emit(context, command, block);
      if ((await answer) === "ack") return true;
    }
    // Given up: what comes now is meant anew.
    taken = undefined;
    return false;
  };

  return {
    receive(bytes) {
      between?.[Symbol.dispose]();
      for (const token of reader.read(bytes)) {
        if (token.kind === "block") accept(token.apdu);
        else if (token.kind === "damaged") void context.put(Uint8Array.of(NAK));
        else hear?.(token.kind);
      }
      if (!reader.within) return;
      between = clock.timer(t1Ms, () => {
        reader.drop();
        void context.put(Uint8Array.of(NAK));
      });
    },
    send: (command, body) => queue(() => sendBlock(command, body)),
    sendHalf: (command, body) => context.put(half(encodeBlock(encodeApdu(command, body)))),
  };
}
