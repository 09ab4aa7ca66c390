import type { BarcodeScanner, ScannedCode } from "../../../contracts/barcode-scanner.js";
import type { DriverContext, LinkOf } from "../../../contracts/driver.js";
import { equalBytes } from "../../../kernel/bytes.js";
import { raceSignal, within } from "../../../kernel/deadline.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import type { HidLink } from "../../../kernel/hid.js";
import type { z } from "../../../kernel/schema.js";
import type { HidPosConfig } from "./config.js";
import { parseReportDescriptor, type ReportDescriptor } from "./descriptor.js";
import { createKeyboardReader } from "./keyboard-reader.js";
import { codeLayouts, isKeyboard, keyboardLayout, triggerReports } from "./layout.js";
import { connectSwitched } from "./mode-switch.js";
import { createPosReader } from "./pos-reader.js";
import type { ReadOutcome, ReportReader } from "./reader.js";

type Config = z.output<typeof HidPosConfig>;

/** A report is a few bytes: a device that does not take them within this is stuck. */
const WRITE_WITHIN_MS = 2_000;
/** A scanner with a bad cable or too little power leaves the bus again at once. */
const STAYS_FOR_MS = 2_000;
/** No hand shows a scanner more; beyond it is a faulty device. */
const CODES_PER_SECOND = 50;

export async function open(config: Config, context: DriverContext<LinkOf<"barcodeScanner">>): Promise<BarcodeScanner> {
  const { clock, log, device } = context;
  // The driver's links are HID links: the composition root puts reports on whatever wire the config names.
  const connect = context.connect as DriverContext<HidLink>["connect"];
  const link = config.honeywellMode ? await connectSwitched({ ...context, connect }) : await connect(context.signal);
  const ending = new AbortController();
  let onScan: ((code: ScannedCode) => void) | undefined;
  let declareLost: (reason: DeviceError) => void = () => {};
  const lost = new Promise<DeviceError>((resolve) => {
    declareLost = resolve;
  });

  let descriptor: ReportDescriptor;
  let reader: ReportReader;
  try {
    context.signal.throwIfAborted();
    descriptor = parseReportDescriptor(link.reportDescriptor);
    reader = readerFor(descriptor, config);
  } catch (thrown) {
    await link.close();
    throw thrown;
  }
  const layouts = [...codeLayouts(descriptor).values()];
  const triggers = { on: triggerReports(descriptor, true), off: triggerReports(descriptor, false) };

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

  const deliver = (outcomes: readonly ReadOutcome[]): void => {
    for (const outcome of outcomes) {
      if (outcome.type === "dropped") warn(outcome.reason);
      else if (isFlood()) warn("too_many_codes");
      else {
        warn(undefined);
        if (!isRepeat(outcome.code.bytes)) onScan?.(outcome.code);
      }
    }
  };

  let silence: Disposable | undefined;
  const receive = (report: Uint8Array): void => {
    silence?.[Symbol.dispose]();
    deliver(reader.push(report));
    silence = reader.waitMs === undefined ? undefined : clock.timer(reader.waitMs, () => deliver(reader.flush()));
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
  void listen().then(async (reason) => {
    const byItself = !ending.signal.aborted;
    await end(reason);
    if (byItself) declareLost(reason);
  });

  /** One report after the other: off and on must not overtake each other. */
  let queue: Promise<unknown> = Promise.resolve();
  const send = (reports: readonly Uint8Array[], signal: AbortSignal): Promise<void> => {
    // The caller's signal does not reach the write: aborting a write would close the link.
    const work = queue.then(async () => {
      signal.throwIfAborted();
      ending.signal.throwIfAborted();
      for (const report of reports) {
        await within(clock, WRITE_WITHIN_MS, ending.signal, (limit) => link.write(report, limit), "the scanner took no report");
      }
    });
    queue = work.catch(() => {});
    return raceSignal(work, signal);
  };

  context.report({ state: "ready" });
  return {
    identity: {},
    capabilities: {
      version: 1,
      trigger: triggers.on.length > 0,
      symbology: layouts.some(({ aim }) => aim !== undefined),
      lossy: layouts.length === 0,
      maxCodeBytes: config.maxCodeBytes,
    },
    lost,
    onScan(listener) {
      onScan = listener;
    },
    async trigger(on, signal) {
      ending.signal.throwIfAborted();
      await send(on ? triggers.on : triggers.off, signal);
    },
    async selfTest(signal) {
      ending.signal.throwIfAborted();
      // HID POS has no question that a scanner would answer.
      await raceSignal(clock.sleep(STAYS_FOR_MS, signal), ending.signal);
      return [{ check: "stays on the bus", ok: true, note: "HID has no question to ask: scan a code to be sure" }];
    },
    close,
  };
}

function readerFor(descriptor: ReportDescriptor, { acceptKeyboard, fullReportMayEnd, maxCodeBytes }: Config): ReportReader {
  const { numbered } = descriptor;
  const layouts = codeLayouts(descriptor);
  if (layouts.size > 0) return createPosReader({ layouts, numbered, maxCodeBytes, fullReportMayEnd });
  const keys = keyboardLayout(descriptor);
  if (keys && acceptKeyboard) return createKeyboardReader(keys, numbered, maxCodeBytes);
  if (isKeyboard(descriptor)) {
    throw new DeviceError("unsupported", {
      message: "the scanner is a keyboard",
      hint:
        'Scan the code "USB HID POS" (Honeywell: "USB HID bar code scanner") or "USB COM port" of the scanner\'s manual, and set productId to ' +
        "the new one, or the driver to serial-scanner: a keyboard has no Vietnamese letters. acceptKeyboard = true takes it as it is",
    });
  }
  throw new DeviceError("unsupported", {
    message: "the report descriptor has no field for decoded data",
    hint: "This is no HID POS scanner, or another of its modes: set it to HID POS, or to serial mode (driver serial-scanner)",
  });
}
