import { createHash } from "node:crypto";
import type { Condition } from "../../../contracts/driver.js";
import { toHex } from "../../../kernel/bytes.js";
import type { Clock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { Link } from "../../../kernel/link.js";
import type { Logger } from "../../../kernel/log.js";
import { negativeAnswer, positiveAnswer } from "./apdu.js";
import type { ZvtConfig } from "./config.js";
import { type Line, startLine } from "./line.js";
import { maskApdu } from "./masking.js";
import { decodeMessage, type TerminalMessage } from "./messages.js";

/** One opening of a terminal. */
export interface Session {
  readonly device: string;
  readonly config: ZvtConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly line: Line;
  /** When it was opened: `clock.now()`. */
  readonly openedAt: number;
  /** `clock.monotonicMs()` since when no order that moves money has been under way on this link. */
  quietSinceMs: number;
  /** `clock.monotonicMs()` of the end of the last conversation. */
  endedAtMs: number;
  /** As the terminal said at registration. */
  terminalId: string | undefined;
  softwareVersion: string | undefined;
  /** Fingerprint of the 04 0F that was last answered for good: a copy of it may be answered again. */
  bound: string | undefined;
  /** Sends, and lets a masked trace see it. */
  send(apdu: Uint8Array, once?: boolean): Promise<number>;
  /** Hands the terminal's messages to `listener` until disposed; at other times they are answered as strays. */
  listen(listener: (apdu: Uint8Array) => void): Disposable;
  /** Answers a message that belongs to nothing we asked for. */
  stray(apdu: Uint8Array): void;
  /** One conversation at a time, each after the one before. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Nothing is under way and nothing waits. */
  readonly idle: boolean;
  report(condition: Condition): void;
}

export interface SessionContext {
  readonly device: string;
  readonly clock: Clock;
  readonly log: Logger;
  report(condition: Condition): void;
}

/** "Function not possible." */
export const NOT_POSSIBLE = 0x83;
/** Strays that wait for their answer to leave: an honest terminal waits for each. */
const MOST_STRAYS = 64;
/** Enough of a message for a trace. */
const TRACED_BYTES = 100;

export function startSession(link: Link, framing: "serial" | "tcp", config: ZvtConfig, context: SessionContext): Session {
  const { device, clock, log } = context;
  let listener: ((apdu: Uint8Array) => void) | undefined;
  let strays = 0;
  let turns = 0;
  let turn: Promise<unknown> = Promise.resolve();
  let told = "";
  const trace = (event: "zvt sent" | "zvt received", apdu: Uint8Array): void =>
    log.debug(event, { device, step: toHex(maskApdu(apdu).subarray(0, TRACED_BYTES)), bytes: apdu.length });

  const stray = (apdu: Uint8Array): void => {
    const answer = answerToStray(session, apdu, decodeMessage(apdu));
    if (!answer) return;
    if (strays === MOST_STRAYS) {
      session.line.fail(
        new DeviceError("device_fault", { device, message: "the terminal floods", hint: "Switch the terminal off and on" }),
      );
      return;
    }
    strays += 1;
    const done = (): void => {
      strays -= 1;
    };
    session.send(answer).then(done, done);
  };
  const onApdu = (apdu: Uint8Array): void => {
    trace("zvt received", apdu);
    if (listener) listener(apdu);
    else stray(apdu);
  };
  const session: Session = {
    device,
    config,
    clock,
    log,
    line: startLine(link, framing, { device, clock, config, onApdu }),
    openedAt: clock.now(),
    quietSinceMs: clock.monotonicMs(),
    endedAtMs: Number.NEGATIVE_INFINITY,
    terminalId: undefined,
    softwareVersion: undefined,
    bound: undefined,
    send(apdu, once) {
      trace("zvt sent", apdu);
      return session.line.send(apdu, once);
    },
    listen(given) {
      listener = given;
      return {
        [Symbol.dispose]() {
          if (listener === given) listener = undefined;
        },
      };
    },
    stray,
    inTurn(work) {
      turns += 1;
      const result = turn
        .then(async () => {
          session.line.signal.throwIfAborted();
          return await work();
        })
        .finally(() => {
          turns -= 1;
        });
      turn = result.catch(() => {});
      return result;
    },
    get idle() {
      return turns === 0;
    },
    report(condition) {
      const now = condition.state === "ready" ? "ready" : `${condition.state} ${condition.reason.message}`;
      if (now === told || session.line.signal.aborted) return;
      told = now;
      context.report(condition);
    },
  };
  return session;
}

/** Tells a message from any other without keeping what is in it: that may be a card number. */
export const fingerprint = (apdu: Uint8Array): string => createHash("sha256").update(apdu).digest("hex");

/** What to say to a message that belongs to nothing we asked for; undefined: nothing, it is an answer itself. */
export function answerToStray(session: Session, apdu: Uint8Array, message: TerminalMessage): Uint8Array | undefined {
  switch (message.type) {
    case "accepted":
    case "refused":
      return undefined;
    case "statusInformation": {
      const again = session.bound === fingerprint(apdu);
      const harmless = message.status.resultCode !== undefined && message.status.resultCode !== 0;
      // A payment whose result nobody wrote down must not become binding: the terminal takes it back.
      return again || harmless ? positiveAnswer() : negativeAnswer(NOT_POSSIBLE);
    }
    case "other":
      return negativeAnswer(NOT_POSSIBLE);
    default:
      return positiveAnswer();
  }
}
