import type { Condition } from "../../../contracts/driver.js";
import type { Clock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import { askStatus, RECOVER } from "./codec.js";
import type { EscposConfig } from "./config.js";
import type { Reply } from "./replies.js";
import { conditionOf, obstacle, type PrinterSigns, signsOfAutoStatus, signsOfStatus } from "./status.js";
import { type Talk, withinMs } from "./talk.js";

/** Keeps an eye on the printer for as long as the talk lasts, and waits for people. */
export interface Watch {
  /** Asks now. Undefined: no answer. */
  refresh(): Promise<PrinterSigns | undefined>;
  /** Waits while somebody has to act. `onWait` hears of each such stop once. Rejects when the talk ends. */
  untilClear(onWait: () => void): Promise<void>;
  /**
   * Waits for a reply as long as there is a reason to: somebody has to act, or `quietRounds` of silence have not passed.
   * Undefined: the printer says that all is well and yet does not reply. Rejects when the talk ends.
   */
  patiently<T>(awaited: Promise<T>, quietRounds: number, onWait: () => void): Promise<T | undefined>;
  /** From here to the disposal the printer has to stay the same: one that restarts is lost. */
  guard(how: Guarding): Disposable;
  report(condition: Condition): void;
}

interface Guarding {
  readonly pushes: boolean;
  readonly reachable: boolean;
  /** At once when the printer stops for somebody to act, and when it goes on. */
  readonly onStop?: (stopped: boolean) => void;
}

interface WatchPorts {
  readonly device: string;
  readonly clock: Clock;
  readonly config: EscposConfig;
  report(condition: Condition): void;
}

/** The slowest line in use, 9,600 baud: what is on its way ahead of a question comes first, and holds up the answer. */
const SLOWEST_BYTES_PER_MS = 0.96;

export function startWatch(talk: Talk, { device, clock, config, report }: WatchPorts): Watch {
  let signs: PrinterSigns | undefined;
  let pushed: PrinterSigns | undefined;
  let guarding: Guarding | undefined;
  let coverOpened = false;
  let reported = "";
  const waiting = new Set<() => void>();

  const tell = (condition: Condition): void => {
    const key = JSON.stringify([
      condition.state,
      "reason" in condition ? condition.reason.message : "",
      "warnings" in condition ? condition.warnings : [],
    ]);
    if (key === reported) return;
    reported = key;
    report(condition);
  };
  const wakeAll = (): void => {
    for (const wake of waiting) wake();
    waiting.clear();
  };
  talk.signal.addEventListener("abort", wakeAll, { once: true });
  const note = (next: PrinterSigns): void => {
    const [stopped, stops] = [Boolean(signs && obstacle(signs, device)), Boolean(obstacle(next, device))];
    signs = next;
    if (stops !== stopped) guarding?.onStop?.(stops);
    tell(conditionOf(next, device));
    recover(next);
    wakeAll();
  };
  /** Told to go on once a person has acted: a cutter that still jams should not be driven again and again. */
  const recover = (next: PrinterSigns): void => {
    coverOpened ||= next.coverOpen;
    if (next.coverOpen || next.paperOut || !(next.recoverable || next.cutterError)) return;
    if (!next.waiting && !coverOpened) return;
    coverOpened = false;
    talk.send(RECOVER).catch(() => {}); // the end of the talk is seen elsewhere
  };
  talk.onReply((reply) => {
    if (reply.type !== "auto_status") return;
    pushed = signsOfAutoStatus(reply.bytes);
    note(pushed);
  });

  const askAll = async (): Promise<PrinterSigns | undefined> => {
    const bytes: number[] = [];
    for (const n of [1, 2, 3, 4] as const) {
      const aheadMs = guarding ? config.windowBytes / SLOWEST_BYTES_PER_MS : 0;
      const byte = await talk.ask(askStatus(n), statusByte, config.replyMs + aheadMs);
      if (byte === undefined) return undefined;
      bytes.push(byte);
    }
    const [b1 = 0, b2 = 0, b3 = 0, b4 = 0] = bytes;
    return signsOfStatus([b1, b2, b3, b4]);
  };

  /** One at a time, or the answers of two would mix. */
  let asking: Promise<PrinterSigns | undefined> | undefined;
  const refresh = (): Promise<PrinterSigns | undefined> => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
  const ask = async (): Promise<PrinterSigns | undefined> => {
    let answered = await askAll();
    if (!answered) {
      // A late answer must not be taken for one to the next question.
      await clock.sleep(config.replyMs, talk.signal);
      answered = await askAll();
    }
    if (!answered) return undefined;
    if (guarding?.pushes && pushed && Boolean(obstacle(pushed, device)) !== Boolean(obstacle(answered, device))) await expectPush(pushed);
    note(answered);
    return answered;
  };
  /** Automatic status ends with the power: one that should have come and did not means that the printer was off. */
  const expectPush = async (before: PrinterSigns): Promise<void> => {
    if (pushed === before) await clock.sleep(config.replyMs, talk.signal);
    if (pushed === before && guarding)
      talk.fail(new DeviceError("device_absent", { device, message: "the printer was switched off and on" }));
  };

  const poll = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(config.pollMs, talk.signal);
      if (await refresh()) continue;
      // A printer that stands still with a full buffer does not see questions.
      const excused = guarding && !guarding.reachable && (!guarding.pushes || (signs && obstacle(signs, device)));
      if (!excused) talk.fail(silent());
    }
  };
  poll().catch(() => {}); // the talk has ended

  const silent = (): DeviceError => new DeviceError("device_absent", { device, message: "no answer" });

  const untilClear = async (onWait: () => void): Promise<void> => {
    let told = false;
    while (signs && obstacle(signs, device)) {
      if (signs.unrecoverable) {
        const reason = new DeviceError("device_fault", { device, message: "unrecoverable error" });
        talk.fail(reason);
        throw reason;
      }
      if (!told) onWait();
      told = true;
      talk.signal.throwIfAborted();
      await new Promise<void>((resolve) => waiting.add(resolve));
      talk.signal.throwIfAborted();
    }
  };

  return {
    refresh,
    untilClear,
    async patiently(awaited, quietRounds, onWait) {
      let muteMs = 0;
      for (let quiet = 0; quiet < quietRounds; ) {
        const reply = await withinMs(awaited, clock, config.silenceMs);
        if (reply !== undefined) return reply;
        const answered = await refresh();
        muteMs = answered ? 0 : muteMs + config.silenceMs;
        if (answered && !obstacle(answered, device)) quiet++;
        else if (answered || (signs && obstacle(signs, device))) await untilClear(onWait);
        else if (!guarding || guarding.reachable || muteMs >= config.stallMs) {
          talk.fail(silent());
          throw silent();
        }
      }
      return undefined;
    },
    guard(how) {
      guarding = how;
      return {
        [Symbol.dispose]: () => {
          guarding = undefined;
        },
      };
    },
    report: tell,
  };
}

/** Of a printer that only listens: it is taken to be well. */
export function deafWatch({ report }: Pick<WatchPorts, "report">): Watch {
  return {
    refresh: async () => undefined,
    untilClear: async () => {},
    patiently: async () => undefined,
    guard: () => ({ [Symbol.dispose]() {} }),
    report: (condition) => report(condition),
  };
}

function statusByte(reply: Reply): number | undefined {
  return reply.type === "status" ? reply.byte : undefined;
}
