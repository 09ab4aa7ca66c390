import { isDeepStrictEqual } from "node:util";
import { Secret } from "../kernel/secret.js";
import type { DeviceConfig, StationConfig } from "./types.js";

/** Ids of devices, each in one list only, in the order of the new config (removed: of the old one). */
export interface ConfigDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
  /** Keys outside `devices` with another value: `server.port`, `agent.logLevel`. */
  readonly keys: readonly string[];
}

/** What a reload has to do. The order of devices and of their keys does not matter. */
export function diffConfigs(before: StationConfig, after: StationConfig): ConfigDiff {
  const old = new Map(before.devices.map((device) => [device.id, device]));
  const kept = new Set(after.devices.map((device) => device.id));
  const where = (wanted: (former: DeviceConfig | undefined, device: DeviceConfig) => boolean): string[] =>
    after.devices.filter((device) => wanted(old.get(device.id), device)).map((device) => device.id);
  return {
    added: where((former) => former === undefined),
    removed: before.devices.map((device) => device.id).filter((id) => !kept.has(id)),
    changed: where((former, device) => former !== undefined && !sameDevice(former, device)),
    unchanged: where((former, device) => former !== undefined && sameDevice(former, device)),
    keys: (["agent", "server", "console"] as const).flatMap((section) => changedKeys(section, before[section], after[section])),
  };
}

function sameDevice(a: DeviceConfig, b: DeviceConfig): boolean {
  const { driver: driverA, ...restA } = a;
  const { driver: driverB, ...restB } = b;
  return driverA.id === driverB.id && isDeepStrictEqual(opened(restA), opened(restB));
}

/** A secret keeps its value where a comparison does not look; here a new one must count as a change. */
function opened(value: unknown): unknown {
  if (value instanceof Secret) return { secret: opened(value.reveal()) };
  if (Array.isArray(value)) return value.map(opened);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, opened(entry)]));
}

function changedKeys<T extends object>(section: string, before: T, after: T): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof T & string>;
  return [...keys].filter((key) => !isDeepStrictEqual(before[key], after[key])).map((key) => `${section}.${key}`);
}
