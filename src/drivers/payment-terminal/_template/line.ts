import { createHash } from "node:crypto";
import type { Clock } from "../../../kernel/clock.js";
import { within } from "../../../kernel/deadline.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import type { Link } from "../../../kernel/link.js";
import type { Logger } from "../../../kernel/log.js";
import { ANSWERS, decodeMessage, FRAME, type Message, traceOf } from "./codec.js";
import type { BankConfig } from "./config.js";
import { createFramer, encodeFrame, type Framed } from "./framing.js";

export interface Question {
  readonly payload: Uint8Array;
  /** Kind of the message that answers it. */
  readonly answer: string;
  readonly waitMs: number;
  /** It moves money: silence does not repeat it, only NAK. */
  readonly once: boolean;
  /** The terminal has it. */
  taken?(): void;
}

/** Messages over one link. One question at a time. */
export interface Line {
  /** Aborts with the reason, a DeviceError, when it can no longer be used. */
  readonly signal: AbortSignal;
  /** Resolves with that reason. */
  readonly ended: Promise<DeviceError>;
  /** The answer, not acknowledged yet. Rejects with `timeout` or the reason of the end: whether the terminal acted is unknown then. */
  ask(question: Question): Promise<Message>;
  /** Acknowledges the last answer; from then on a copy of a result is acknowledged by itself, because our ACK may have been lost. */
  acknowledge(): Promise<void>;
  /** Sends what nothing depends on. */
  wish(payload: Uint8Array): void;
  /** Ends it for this reason, the first one stays; returns what then is the reason. */
  fail(reason: DeviceError): DeviceError;
  close(): Promise<void>;
}

export interface LineContext {
  readonly device: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: BankConfig;
}

const MOST_SENDINGS = 3;
const MOST_NAKS = 3;
const HINT = "Check the cable, the terminal's power and that both sides use the same baud rate";

/** Tells a message from any other without keeping what is in it: that may be a card number. */
const fingerprint = (payload: Uint8Array): string => createHash("sha256").update(payload).digest("hex");

export function startLine(link: Link, { device, clock, log, config }: LineContext): Line {
  const ending = new AbortController();
  const { signal } = ending;
  const framer = createFramer(FRAME);
  let asking: { readonly question: Question; came(message: Message): void } | undefined;
  let acknowledged: ((said: "ack" | "nak" | "silence") => void) | undefined;
  /** Fingerprint of a result that waits for our ACK, and of the one that has it. */
  let result: string | undefined;
  let bound: string | undefined;
  let naks = 0;

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
      await within(clock, config.ackMs, signal, (limit) => link.write(bytes, limit), "the terminal takes no data");
    } catch (thrown) {
      throw fail(asDeviceError(thrown, "device_fault", { device }));
    }
  };
  const put = (byte: number): void => void write(Uint8Array.of(byte)).catch(() => {});

  const frameCame = (payload: Uint8Array): void => {
    log.debug("bank message received", { device, step: traceOf(payload) });
    naks = 0;
    const print = fingerprint(payload);
    if (print === bound) return put(FRAME.ack);
    const message = decodeMessage(payload);
    if (!message || asking?.question.answer !== message.kind) {
      // What nobody asked for, or nobody understands, may be a result that nobody wrote down. Only an inquiry's answer binds nothing.
      return message?.kind === ANSWERS.last ? put(FRAME.ack) : undefined;
    }
    const { question, came } = asking;
    result = question.once ? print : undefined;
    asking = undefined;
    came(message);
    // Its ACK was lost, and yet the terminal has our question.
    acknowledged?.("ack");
  };
  const heard = (item: Framed): void => {
    if (item.type === "frame") return frameCame(item.payload);
    if (item.type === "ack" || item.type === "nak") return acknowledged?.(item.type);
    // A line that only ever sends rubbish gets no endless answers.
    if (item.type !== "noise" && naks++ < MOST_NAKS) put(FRAME.nak);
  };
  const listen = async (): Promise<void> => {
    let silence: Disposable | undefined;
    try {
      for (;;) {
        const bytes = await link.read(signal);
        silence?.[Symbol.dispose]();
        framer.push(bytes).forEach(heard);
        silence = framer.pending ? clock.timer(config.silenceMs, () => framer.quiet().forEach(heard)) : undefined;
      }
    } finally {
      silence?.[Symbol.dispose]();
    }
  };
  listen().catch((thrown) => fail(asDeviceError(thrown, "device_fault", { device })));

  const send = async (payload: Uint8Array): Promise<"ack" | "nak" | "silence"> => {
    log.debug("bank message sent", { device, step: traceOf(payload) });
    let timer: Disposable | undefined;
    const onEnd = (): void => acknowledged?.("silence");
    try {
      const said = new Promise<"ack" | "nak" | "silence">((resolve) => {
        acknowledged = resolve;
      });
      signal.addEventListener("abort", onEnd, { once: true });
      await write(encodeFrame(FRAME, payload));
      timer = clock.timer(config.ackMs, onEnd);
      return await said;
    } finally {
      acknowledged = undefined;
      timer?.[Symbol.dispose]();
      signal.removeEventListener("abort", onEnd);
    }
  };
  const deliver = async ({ payload, once }: Question): Promise<void> => {
    for (let sending = 1; sending <= MOST_SENDINGS; sending++) {
      signal.throwIfAborted();
      const said = await send(payload);
      if (said === "ack") return;
      signal.throwIfAborted();
      // An order that was sent twice may be carried out twice.
      if (said === "silence" && once) break;
    }
    throw fail(new DeviceError("timeout", { device, message: "a frame was not acknowledged", hint: HINT }));
  };

  return {
    signal,
    ended,
    async ask(question) {
      const answer = new Promise<Message>((came) => {
        asking = { question, came };
      });
      try {
        await deliver(question);
        question.taken?.();
        return await within(clock, question.waitMs, signal, () => answer, "the terminal does not answer");
      } finally {
        asking = undefined;
      }
    },
    async acknowledge() {
      bound = result ?? bound;
      await write(Uint8Array.of(FRAME.ack));
    },
    wish(payload) {
      log.debug("bank message sent", { device, step: traceOf(payload) });
      void write(encodeFrame(FRAME, payload)).catch(() => {});
    },
    fail,
    async close() {
      fail(new DeviceError("device_absent", { device, message: "the device was closed" }));
      await link.close();
    },
  };
}
