import type { Condition } from "../../../contracts/driver.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { PrinterStatus } from "../../../protocol/printer.js";

/** What the printer says of itself, from either way of asking. */
export interface PrinterSigns {
  readonly offline: boolean;
  readonly coverOpen: boolean;
  readonly paperOut: boolean;
  readonly paperNearEnd: boolean;
  readonly cutterError: boolean;
  readonly recoverable: boolean;
  readonly unrecoverable: boolean;
  readonly autoRecoverable: boolean;
  /** The cause of an error is gone; the printer waits to be told to go on. */
  readonly waiting: boolean;
  readonly drawerHigh: boolean;
}

/** Reads a byte by a table of bit numbers; a sign with two bits needs both. */
function bits<K extends string>(table: Readonly<Record<K, number | readonly [number, number]>>): (byte: number) => Record<K, boolean> {
  const entries = Object.entries(table) as [K, number | readonly [number, number]][];
  const isSet = (byte: number, bit: number): boolean => (byte & (1 << bit)) !== 0;
  return (byte) =>
    Object.fromEntries(
      entries.map(([name, at]) => [name, typeof at === "number" ? isSet(byte, at) : isSet(byte, at[0]) && isSet(byte, at[1])]),
    ) as Record<K, boolean>;
}

/** DLE EOT 1 to 4. */
const printerByte = bits({ drawerHigh: 2, offline: 3, waiting: 5, feedButton: 6 });
const offlineByte = bits({ coverOpen: 2, feeding: 3, paperStop: 5, error: 6 });
const errorByte = bits({ recoverable: 2, cutterError: 3, unrecoverable: 5, autoRecoverable: 6 });
const paperByte = bits({ paperNearEnd: [2, 3], paperOut: [5, 6] });

/** Automatic status, bytes 1 to 3. */
const autoByte1 = bits({ drawerHigh: 2, offline: 3, coverOpen: 5, feeding: 6 });
const autoByte2 = bits({ waiting: 0, feedButton: 1, recoverable: 2, cutterError: 3, unrecoverable: 5, autoRecoverable: 6 });
const autoByte3 = bits({ paperNearEnd: [0, 1], paperOut: [2, 3] });

export function signsOfStatus(bytes: readonly [number, number, number, number]): PrinterSigns {
  const { drawerHigh, offline, waiting } = printerByte(bytes[0]);
  const { coverOpen, paperStop } = offlineByte(bytes[1]);
  const { recoverable, cutterError, unrecoverable, autoRecoverable } = errorByte(bytes[2]);
  const { paperNearEnd, paperOut } = paperByte(bytes[3]);
  return {
    drawerHigh,
    offline,
    waiting,
    coverOpen,
    recoverable,
    cutterError,
    unrecoverable,
    autoRecoverable,
    paperNearEnd,
    paperOut: paperOut || paperStop,
  };
}

export function signsOfAutoStatus(bytes: readonly [number, number, number, number]): PrinterSigns {
  const { drawerHigh, offline, coverOpen } = autoByte1(bytes[0]);
  const { waiting, recoverable, cutterError, unrecoverable, autoRecoverable } = autoByte2(bytes[1]);
  const { paperNearEnd, paperOut } = autoByte3(bytes[2]);
  return { drawerHigh, offline, waiting, coverOpen, recoverable, cutterError, unrecoverable, autoRecoverable, paperNearEnd, paperOut };
}

/** Why it cannot print now, the most telling reason first; undefined where it can. */
export function obstacle(signs: PrinterSigns, device: string): DeviceError | undefined {
  if (signs.unrecoverable) return new DeviceError("device_fault", { device, message: "unrecoverable error" });
  if (signs.coverOpen) return new DeviceError("cover_open", { device });
  if (signs.paperOut) return new DeviceError("paper_out", { device });
  if (signs.cutterError) return new DeviceError("paper_jam", { device });
  if (signs.autoRecoverable) {
    return new DeviceError("device_fault", {
      device,
      message: "print head too hot",
      hint: "Wait a minute: it cools down and goes on by itself",
    });
  }
  if (signs.recoverable) {
    return new DeviceError("device_fault", { device, message: "recoverable error", hint: "Open and close the cover" });
  }
  if (signs.offline) {
    return new DeviceError("device_fault", {
      device,
      message: "offline",
      hint: "Press the printer's feed button; if it stays offline, switch it off and on",
    });
  }
  return undefined;
}

export function conditionOf(signs: PrinterSigns, device: string): Condition {
  const reason = obstacle(signs, device);
  const warnings = signs.paperNearEnd && !signs.paperOut ? { warnings: ["paper_near_end"] } : {};
  if (!reason) return { state: "ready", ...warnings };
  return signs.unrecoverable ? { state: "faulted", reason } : { state: "attention", reason, ...warnings };
}

export function statusOf(signs: PrinterSigns): Omit<PrinterStatus, "device" | "simulated"> {
  return {
    online: !signs.offline,
    cover: signs.coverOpen ? "open" : "closed",
    paper: signs.paperOut ? "out" : signs.paperNearEnd ? "near_end" : "ok",
    cutter: signs.cutterError ? "error" : "ok",
    drawer: signs.drawerHigh ? "high" : "low",
    error: errorOf(signs),
  };
}

function errorOf(signs: PrinterSigns): PrinterStatus["error"] {
  if (signs.unrecoverable) return "unrecoverable";
  if (signs.autoRecoverable) return "auto_recoverable";
  return signs.recoverable || signs.cutterError ? "recoverable" : "none";
}

/** Of a printer that can only be written to. */
export const UNKNOWN_STATUS: Omit<PrinterStatus, "device" | "simulated"> = {
  online: true,
  cover: "unknown",
  paper: "unknown",
  cutter: "unknown",
  drawer: "unknown",
  error: "unknown",
};
