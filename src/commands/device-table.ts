import type { Translate } from "../languages/translate.js";
import type { DeviceSnapshot, DeviceState } from "../protocol/devices.js";
import { commandHint } from "./command-hint.js";
import { type Cell, formatTable, type TableOptions } from "./table.js";
import { type Colour, plain } from "./terminal.js";

export const STATE_COLOURS: Readonly<Record<DeviceState, Colour>> = {
  ready: "green",
  busy: "cyan",
  opening: "yellow",
  attention: "yellow",
  absent: "red",
  faulted: "red",
  disabled: "grey",
};

/** The station's devices, each with what a person should do about it. `now` in milliseconds since the epoch. */
export function deviceTable(devices: readonly DeviceSnapshot[], now: number, options: TableOptions): string {
  const { t } = options;
  if (devices.length === 0) return t`This station has no devices.\n`;
  const rows = devices.map((device): Cell[] => [
    { text: plain(device.id) },
    { text: device.class },
    { text: t(device.state), colour: STATE_COLOURS[device.state] },
    { text: age(now - device.since, t) },
    { text: plain(deviceNote(device, t)) },
  ]);
  return formatTable(["DEVICE", "CLASS", "STATE", "FOR", "NOTE"], rows, options);
}

/** Why it is not ready, what soon will be, who has it, what it is. */
export function deviceNote({ reason, warnings, claim, queue, simulated, identity, driver }: DeviceSnapshot, t: Translate): string {
  const parts = [
    ...(simulated ? [t`[simulated]`] : []),
    ...(reason ? [`${t(reason.message)}. ${commandHint(reason.hint, t)}.`] : []),
    ...(warnings ?? []).map((warning) => `${t(warning.replaceAll("_", " "))}.`),
    ...(queue.running === undefined ? [] : [t`${queue.running} is running.`]),
    ...(queue.length > 0 ? [t`${queue.length} waiting.`] : []),
    ...(claim ? [t`Claimed by ${claim.client}.`] : []),
  ];
  const name = [identity?.vendor, identity?.model].filter((part) => part !== undefined).join(" ") || driver;
  return [...parts, ...(reason ? [] : [name])].join(" ");
}

/** A line for logs and pipes, one per change. */
export function deviceLine(device: DeviceSnapshot, time: number, t: Translate): string {
  return `${new Date(time).toISOString()} ${plain(device.id)} ${t(device.state)} ${plain(deviceNote(device, t))}`.trimEnd();
}

/** Two digits of precision are all one reads. */
export function age(ms: number, t: Translate): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return t`${seconds} s`;
  if (seconds < 3_600) return t`${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return t`${Math.floor(seconds / 3_600)} h`;
  return t`${Math.floor(seconds / 86_400)} d`;
}
