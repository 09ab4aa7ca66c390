import { DeviceError } from "../../../kernel/errors.js";
import { negativeAnswer, positiveAnswer } from "./apdu.js";
import { abort } from "./commands.js";
import { createMailbox } from "./mailbox.js";
import { decodeMessage, type TerminalMessage } from "./messages.js";
import { isBusy } from "./reasons.js";
import { answerToStray, NOT_POSSIBLE, type Session } from "./session.js";

export type Ending =
  /** 84 xx: never begun. `sendings`: how often the command went out. */
  | { readonly type: "refused"; readonly code: number; readonly sendings: number }
  | { readonly type: "completion"; readonly message: TerminalMessage & { type: "completion" }; readonly apdu: Uint8Array }
  | { readonly type: "aborted"; readonly code: number };

export interface Conversing {
  /** The command moves money: silence never repeats it. */
  readonly once?: boolean;
  /** When it aborts the terminal is asked to stop (06 B0), and its own word awaited all the same. */
  readonly stop?: AbortSignal;
  /** Longest until it ends, each sign of progress beginning anew; left out: T4. */
  readonly endMs?: number;
  onAccepted?(): void;
  /** Each message between acceptance and end. Returns what to answer, "nothing", or undefined for the usual answer. */
  onMessage?(message: TerminalMessage, apdu: Uint8Array): Promise<Uint8Array | "nothing" | undefined>;
}

/** An honest terminal sends the next message only after our answer to the last one. */
const MOST_WAITING = 256;
/** A terminal that has just ended a command is not idle at once, and refuses the next one as busy: that one never began, and is sent again. */
const SETTLING_MS = [25, 50, 100, 200, 400];
const SETTLES_WITHIN_MS = 1_000;

/**
 * Sends a command and answers what the terminal says until it ends it. Rejects with the reason of the line's end; a terminal that keeps
 * silent for T3 or T4 ends the line, so that the terminal, too, knows that nobody listens any more.
 */
export async function converse(session: Session, command: Uint8Array, how: Conversing = {}): Promise<Ending> {
  const { line, clock, config, device } = session;
  const { once = false, stop, endMs = config.t4Ms } = how;
  const mailbox = createMailbox<Uint8Array>(clock, MOST_WAITING);
  using _listening = session.listen((apdu) => {
    if (!mailbox.put(apdu)) line.fail(new DeviceError("device_fault", { device, message: "the terminal floods", hint: POWER }));
  });
  // What came in one piece with the end belongs to nothing we asked for, and wants its answer all the same.
  using _late = { [Symbol.dispose]: () => mailbox.empty().forEach(session.stray) };
  let until = 0;
  const allow = (ms: number): void => {
    until = clock.monotonicMs() + ms;
  };
  const next = async (silent: string): Promise<Uint8Array> => {
    const apdu = await mailbox.take(until - clock.monotonicMs(), line.signal);
    if (!apdu) throw line.fail(new DeviceError("timeout", { device, message: silent, hint: POWER }));
    return apdu;
  };

  const settling = [...SETTLING_MS];
  let sendings = await session.send(command, once);
  allow(config.t3Ms);
  for (;;) {
    const apdu = await next("the terminal did not answer a command (T3)");
    const message = decodeMessage(apdu);
    if (message.type === "accepted") break;
    if (message.type === "refused") {
      const justEnded = clock.monotonicMs() - session.endedAtMs < SETTLES_WITHIN_MS;
      const pauseMs = justEnded && isBusy(message.code) && sendings === 1 ? settling.shift() : undefined;
      if (pauseMs !== undefined) await clock.sleep(pauseMs, line.signal);
      if (pauseMs === undefined || stop?.aborted) return { type: "refused", code: message.code, sendings };
      sendings = await session.send(command, once);
      allow(config.t3Ms);
      continue;
    }
    // It came before our command was taken: it belongs to something earlier.
    const answer = answerToStray(session, apdu, message);
    if (answer) await session.send(answer);
  }
  how.onAccepted?.();

  allow(endMs);
  let stopping = false;
  const onStop = (): void => {
    stopping = true;
    allow(endMs);
    session.send(abort()).catch(() => {});
  };
  if (stop?.aborted) onStop();
  else stop?.addEventListener("abort", onStop, { once: true });
  try {
    for (;;) {
      const apdu = await next("the terminal did not end a command (T4)");
      const message = decodeMessage(apdu);
      switch (message.type) {
        // To our 06 B0. It says nothing of what becomes of the payment.
        case "accepted":
        case "refused":
          continue;
        case "completion":
        case "aborted":
          // It has ended: an answer that gets lost changes nothing.
          await session.send(positiveAnswer()).catch(() => {});
          return message.type === "completion" ? { type: "completion", message, apdu } : { type: "aborted", code: message.code };
      }
      const answer = (await how.onMessage?.(message, apdu)) ?? (message.type === "other" ? negativeAnswer(NOT_POSSIBLE) : positiveAnswer());
      if (answer !== "nothing") await session.send(answer);
      // One that was asked to stop may not go on for ever.
      if (message.type === "statusInformation" || (message.type === "intermediateStatus" && !stopping)) allow(endMs);
    }
  } finally {
    session.endedAtMs = clock.monotonicMs();
    stop?.removeEventListener("abort", onStop);
  }
}

const POWER = "Look at the terminal's display; check its cable and power";
