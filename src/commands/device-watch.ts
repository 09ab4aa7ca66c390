import type { Update } from "../client/exports.js";
import type { DeviceSnapshot } from "../protocol/devices.js";
import { deviceLine, deviceTable } from "./device-table.js";
import type { TableOptions } from "./table.js";

const CLEAR_SCREEN = "\u001b[H\u001b[2J\u001b[3J";

export type WatchStyle = "screen" | "lines" | "json";

/**
 * Turns the stream of `devices` updates into what is written after each: the whole table anew on a screen, one line
 * per change in a pipe, one JSON object per change for programs.
 */
export function deviceWatch(style: WatchStyle, now: () => number, options: TableOptions): (update: Update<"devices">) => string {
  let devices: readonly DeviceSnapshot[] = [];
  return (update) => {
    const changed = update.kind === "state" ? update.state : [update.data];
    devices = update.kind === "state" ? update.state : merged(devices, update.data);
    if (style === "screen") return `${CLEAR_SCREEN}${deviceTable(devices, now(), options)}\n${options.t`Ctrl-C ends.`}\n`;
    const time = update.kind === "state" ? now() : update.time;
    return changed.map((device) => `${style === "json" ? JSON.stringify(device) : deviceLine(device, time, options.t)}\n`).join("");
  };
}

function merged(devices: readonly DeviceSnapshot[], newest: DeviceSnapshot): readonly DeviceSnapshot[] {
  return devices.some(({ id }) => id === newest.id)
    ? devices.map((device) => (device.id === newest.id ? newest : device))
    : [...devices, newest];
}
