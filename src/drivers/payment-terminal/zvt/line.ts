import type { Clock } from "../../../kernel/clock.js";
import { within } from "../../../kernel/deadline.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import type { Link } from "../../../kernel/link.js";
import type { ZvtConfig } from "./config.js";
import { createDuplicateWatch } from "./duplicates.js";
import { createSerialFramer, createTcpFramer, type Framed, type Framer, serialAck, serialFrame, serialNak } from "./framing.js";

/** APDUs over one link, both ways. */
export interface Line {
  /** Aborts with the reason, a DeviceError, when it can no longer be used. */
  readonly signal: AbortSignal;
  /** Resolves with that reason. */
  readonly ended: Promise<DeviceError>;
  /**
   * One after the other. Resolves when the terminal has it (serial: acknowledged) with how often it was sent. Rejects with the reason of
   * the end, or ends the line with `timeout`: whether the terminal has it is unknown then. `once`: silence does not repeat it, only NAK.
   */
  send(apdu: Uint8Array, once?: boolean): Promise<number>;
  /** Ends it for this reason, the first one stays; returns what then is the reason. */
  fail(reason: DeviceError): DeviceError;
  close(): Promise<void>;
}

export interface LineContext {
  readonly device: string;
  readonly clock: Clock;
  readonly config: Pick<ZvtConfig, "t1Ms" | "t2Ms">;
  /** Each whole APDU of the terminal, in order, duplicates dropped. */
  onApdu(apdu: Uint8Array): void;
}

/** "At most twice" again. */
const MOST_SENDINGS = 3;

/** What stands on the wire for a message, and what is said about one that came. */
interface Manners {
  readonly framer: Framer;
  frame(apdu: Uint8Array): Uint8Array;
  heard(item: Framed): void;
  /** Sends the frame until it is taken. */
  deliver(apdu: Uint8Array, write: () => Promise<void>, once: boolean): Promise<number>;
}

export function startLine(link: Link, framing: "serial" | "tcp", context: LineContext): Line {
  const { device, clock, config } = context;
  const ending = new AbortController();
  const { signal } = ending;
  let turn: Promise<unknown> = Promise.resolve();

  const fail = (reason: DeviceError): DeviceError => {
    if (!signal.aborted) {
      ending.abort(reason);
      void link.close();
    }
    return signal.reason as DeviceError;
  };
  const ended = new Promise<DeviceError>((resolve) => {
    signal.addEventListener("abort", () => resolve(signal.reason as DeviceError), { once: true });
  });
  const write = async (bytes: Uint8Array): Promise<void> => {
    try {
      // A terminal that takes no byte is as good as gone.
      await within(clock, config.t2Ms, signal, (limit) => link.write(bytes, limit), "the terminal takes no data");
    } catch (thrown) {
      throw fail(asDeviceError(thrown, "device_fault", { device }));
    }
  };
  const put = (bytes: Uint8Array): void => void write(bytes).catch(() => {});
  const manners = framing === "tcp" ? tcpManners(context) : serialManners(context, signal, put);

  const listen = async (): Promise<void> => {
    let silence: Disposable | undefined;
    try {
      for (;;) {
        const bytes = await link.read(signal);
        silence?.[Symbol.dispose]();
        manners.framer.push(bytes).forEach(manners.heard);
        // Over TCP a message may come in pieces as slow as it likes: T4 ends the waiting.
        if (framing === "tcp" || !manners.framer.pending) continue;
        silence = clock.timer(config.t1Ms, () => manners.framer.quiet().forEach(manners.heard));
      }
    } finally {
      silence?.[Symbol.dispose]();
    }
  };
  listen().catch((thrown) => fail(asDeviceError(thrown, "device_fault", { device })));

  return {
    signal,
    ended,
    send(apdu, once = false) {
      const frame = manners.frame(apdu);
      const sent = turn.then(async () => {
        signal.throwIfAborted();
        const sendings = await manners.deliver(apdu, () => write(frame), once);
        if (sendings > 0) return sendings;
        throw fail(new DeviceError("timeout", { device, message: "a block was not acknowledged", hint: SERIAL_HINT }));
      });
      turn = sent.catch(() => {});
      return sent;
    },
    fail,
    async close() {
      fail(new DeviceError("device_absent", { device, message: "the device was closed" }));
      await link.close();
    },
  };
}

const SERIAL_HINT = "Check the cable, the terminal's power and that both sides use the same baud rate";

/** Bare messages, acknowledged by nothing. */
function tcpManners({ onApdu }: LineContext): Manners {
  return {
    framer: createTcpFramer(),
    frame: (apdu) => apdu,
    heard: (item) => item.type === "frame" && onApdu(item.apdu),
    async deliver(_, write) {
      await write();
      return 1;
    },
  };
}

/** 06 B0: it promises nothing, so nothing depends on its arrival. */
const isWish = (apdu: Uint8Array): boolean => apdu[0] === 0x06 && apdu[1] === 0xb0;
const isAnswer = (apdu: Uint8Array): boolean => apdu[0] === 0x80 || apdu[0] === 0x84;

/** One block at a time, each acknowledged by ACK or, where it came damaged, by NAK (PA00P015, serial transport). */
function serialManners({ clock, config, onApdu }: LineContext, signal: AbortSignal, put: (bytes: Uint8Array) => void): Manners {
  const watch = createDuplicateWatch();
  /** Our block that waits for its acknowledgement. */
  let waiting: { readonly apdu: Uint8Array; settle(said: "ack" | "nak" | "silence"): void } | undefined;

  const acknowledged = async (apdu: Uint8Array, write: () => Promise<void>): Promise<"ack" | "nak" | "silence"> => {
    let timer: Disposable | undefined;
    let onEnd = (): void => {};
    try {
      const said = new Promise<"ack" | "nak" | "silence">((settle) => {
        onEnd = () => settle("silence");
        signal.addEventListener("abort", onEnd, { once: true });
        waiting = { apdu, settle };
      });
      await write();
      timer = clock.timer(config.t2Ms, onEnd);
      return await said;
    } finally {
      waiting = undefined;
      timer?.[Symbol.dispose]();
      signal.removeEventListener("abort", onEnd);
    }
  };
  const frameCame = (apdu: Uint8Array): void => {
    put(serialAck());
    if (watch.received(apdu) === "duplicate") return;
    // Its ACK was lost, and yet the terminal has our block: it answers the command, or goes on after our answer.
    if (waiting && isAnswer(waiting.apdu) !== isAnswer(apdu)) waiting.settle("ack");
    // A wish to stop that met a message on its way must not hold up our answer to it: that may be a payment's result.
    else if (waiting && isWish(waiting.apdu)) waiting.settle("ack");
    onApdu(apdu);
  };

  return {
    framer: createSerialFramer(),
    frame: serialFrame,
    heard(item) {
      switch (item.type) {
        case "frame":
          return frameCame(item.apdu);
        case "ack":
          if (waiting) watch.acknowledged();
          return waiting?.settle("ack");
        case "nak":
          return waiting?.settle("nak");
        // It came as it was sent: sending it again would not mend it.
        case "malformed":
          return put(serialAck());
        case "noise":
          return;
        default:
          return put(serialNak());
      }
    },
    async deliver(apdu, write, once) {
      for (let sending = 1; sending <= MOST_SENDINGS; sending++) {
        const said = await acknowledged(apdu, write);
        if (said === "ack") return sending;
        signal.throwIfAborted();
        // A payment that was sent twice may be taken twice.
        if (said === "silence" && once) return 0;
      }
      return 0;
    },
  };
}
