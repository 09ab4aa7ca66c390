import type { BarcodeScanner, ScannedCode } from "../../../contracts/barcode-scanner.js";
import type { DriverContext } from "../../../contracts/driver.js";
import { equalBytes } from "../../../kernel/bytes.js";
import { raceSignal, within } from "../../../kernel/deadline.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import type { z } from "../../../kernel/schema.js";
import { ANSWERS, type Command, decodeCode, queryCommand, readAnswer, terminatorBytes, triggerCommand } from "./codec.js";
import type { SerialScannerConfig } from "./config.js";
import { createFramer, type Framed } from "./framer.js";

/** A command is a few bytes: a link that does not take them within this is stuck. */
const WRITE_WITHIN_MS = 2_000;
/** Newland's own tools wait 200 ms; slow ones are given more. */
const ANSWER_WITHIN_MS = 1_000;
/** The slowest line (300 baud) has 33 ms between bytes: after this no terminator will come. */
const TORN_AFTER_MS = 2_000;
/** No hand shows a scanner more; beyond it is a faulty device or a line with noise. */
const CODES_PER_SECOND = 50;

const CHECK_LINE = "Check that baudRate, parity and dialect of the config are those the scanner is set to";

export async function open(config: z.output<typeof SerialScannerConfig>, context: DriverContext): Promise<BarcodeScanner> {
  const { clock, log, device } = context;
  const link = await context.connect(context.signal);
  const ending = new AbortController();
  let onScan: ((code: ScannedCode) => void) | undefined;
  let onAnswer: ((answer: Uint8Array) => void) | undefined;
  let declareLost: (reason: DeviceError) => void = () => {};
  const lost = new Promise<DeviceError>((resolve) => {
    declareLost = resolve;
  });

  const answers = ANSWERS[config.dialect];
  const terminator = terminatorBytes(config.terminator);
  const framer = createFramer({ terminator, answers, maxCodeBytes: config.maxCodeBytes });

  let warning: string | undefined;
  const warn = (next: string | undefined): void => {
    if (next === warning) return;
    warning = next;
    if (next !== undefined) log.warn("scanner sends what is no code", { device, reason: next });
    context.report({ state: "ready", ...(next === undefined ? {} : { warnings: [next] }) });
  };

  let recent: { readonly bytes: Uint8Array; readonly forgetting: Disposable } | undefined;
  /** A code held before the window counts once, and again after it was out of sight for `ignoreRepeatMs`. */
  const isRepeat = (bytes: Uint8Array): boolean => {
    if (config.ignoreRepeatMs === 0) return false;
    const same = recent !== undefined && equalBytes(recent.bytes, bytes);
    recent?.forgetting[Symbol.dispose]();
    // Forgotten by timer, so that no citizen's data stays longer than it must.
    const forgetting = clock.timer(config.ignoreRepeatMs, () => {
      recent = undefined;
    });
    recent = { bytes, forgetting };
    return same;
  };

  let secondFrom = Number.NEGATIVE_INFINITY;
  let countInSecond = 0;
  const isFlood = (): boolean => {
    const now = clock.monotonicMs();
    if (now - secondFrom >= 1_000) {
      secondFrom = now;
      countInSecond = 0;
    }
    return ++countInSecond > CODES_PER_SECOND;
  };

  const deliver = (framed: readonly Framed[]): void => {
    for (const item of framed) {
      if (item.type === "answer") onAnswer?.(item.bytes);
      else if (item.type === "dropped") warn(item.reason === "too_long" ? "code_too_long" : "code_unterminated");
      else if (isFlood()) warn("too_many_codes");
      else {
        warn(undefined);
        if (!isRepeat(item.bytes)) onScan?.(decodeCode(item.bytes, config.symbology));
      }
    }
  };

  let silence: Disposable | undefined;
  const receive = (chunk: Uint8Array): void => {
    silence?.[Symbol.dispose]();
    deliver(framer.push(chunk));
    silence = framer.pending ? clock.timer(terminator ? TORN_AFTER_MS : config.silenceMs, () => deliver(framer.flush())) : undefined;
  };

  const listen = async (): Promise<DeviceError> => {
    try {
      for (;;) receive(await link.read(ending.signal));
    } catch (error) {
      return asDeviceError(error, "device_fault", { device });
    }
  };

  const end = async (reason: DeviceError): Promise<void> => {
    if (!ending.signal.aborted) ending.abort(reason);
    context.signal.removeEventListener("abort", onAbort);
    silence?.[Symbol.dispose]();
    recent?.forgetting[Symbol.dispose]();
    recent = undefined;
    await link.close();
  };
  const close = (): Promise<void> => end(new DeviceError("device_absent", { device, message: "the device was closed" }));
  const onAbort = (): void => void close();
  context.signal.addEventListener("abort", onAbort, { once: true });
  if (context.signal.aborted) {
    await close();
    throw context.signal.reason;
  }
  void listen().then(async (reason) => {
    const byItself = !ending.signal.aborted;
    await end(reason);
    if (byItself) declareLost(reason);
  });

  const send = async (command: Command): Promise<void> => {
    const { bytes, echo } = command;
    let settle: (outcome: "done" | "refused") => void = () => {};
    const answered = new Promise<"done" | "refused">((resolve) => {
      settle = resolve;
    });
    onAnswer = (answer) => {
      const outcome = echo ? readAnswer(answer, echo) : "other";
      if (outcome !== "other") settle(outcome);
    };
    try {
      await within(clock, WRITE_WITHIN_MS, ending.signal, (limit) => link.write(bytes, limit), "the scanner's line took no command");
      if (!echo) return;
      const outcome = await within(clock, ANSWER_WITHIN_MS, ending.signal, () => answered).catch((error: unknown) => {
        if (ending.signal.aborted) throw error;
        throw new DeviceError("device_fault", { device, message: "the scanner did not answer a command", hint: CHECK_LINE, cause: error });
      });
      if (outcome === "refused") {
        throw new DeviceError("device_fault", {
          device,
          retryable: false,
          message: "the scanner refused a command",
          hint: "Set the scanner to trigger mode and check that `dialect` is that of its maker",
        });
      }
    } finally {
      onAnswer = undefined;
    }
  };

  /** One command at a time: an answer belongs to the last one sent. */
  let queue: Promise<unknown> = Promise.resolve();
  const command = (next: Command, signal: AbortSignal): Promise<void> => {
    // The caller's signal does not reach the write: aborting a write would close the link.
    const work = queue.then(() => {
      signal.throwIfAborted();
      ending.signal.throwIfAborted();
      return send(next);
    });
    queue = work.catch(() => {});
    return raceSignal(work, signal);
  };

  context.report({ state: "ready" });
  return {
    identity: {},
    capabilities: {
      version: 1,
      trigger: config.dialect !== "plain",
      symbology: config.symbology === "aim",
      maxCodeBytes: config.maxCodeBytes,
    },
    lost,
    onScan(listener) {
      onScan = listener;
    },
    async trigger(on, signal) {
      ending.signal.throwIfAborted();
      const next = triggerCommand(config.dialect, on);
      if (next) await command(next, signal);
    },
    async selfTest(signal) {
      ending.signal.throwIfAborted();
      const query = queryCommand(config.dialect);
      if (!query) return [{ check: "line open", ok: true, note: "this dialect has no question to ask: scan a code to be sure" }];
      try {
        await command(query, signal);
        return [{ check: "answers", ok: true }];
      } catch (error) {
        if (signal.aborted || ending.signal.aborted) throw error;
        const { message, hint } = asDeviceError(error, "device_fault");
        return [{ check: "answers", ok: false, note: message, hint }];
      }
    },
    close,
  };
}
