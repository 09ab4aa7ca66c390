import type { StationErrorKind } from "../../src/client/exports.js";

/** A fault that was injected, as long as anything may come of it. */
export interface Trouble {
  end(): void;
}

/** What goes wrong with which device and when: a journey may fail of nothing else. */
export interface Troubles {
  begin(device: string, name: string, kinds: readonly StationErrorKind[]): Trouble;
  /** Errors that are right for whoever has used these devices since then. */
  kinds(devices: Iterable<string>, sinceMs: number): ReadonlySet<StationErrorKind>;
  /** Names of what they may have met. */
  names(devices: Iterable<string>, sinceMs: number): readonly string[];
}

/** What was on its way when the device was well again. */
const AFTERMATH_MS = 3_000;
/** No journey is longer. */
const REMEMBERED_MS = 600_000;

interface Window {
  readonly device: string;
  readonly name: string;
  readonly kinds: readonly StationErrorKind[];
  endMs: number;
}

export function createTroubles(nowMs: () => number): Troubles {
  let windows: Window[] = [];
  const met = (devices: Iterable<string>, sinceMs: number): Window[] => {
    const wanted = new Set(devices);
    return windows.filter(({ device, endMs }) => wanted.has(device) && endMs + AFTERMATH_MS >= sinceMs);
  };
  return {
    begin(device, name, kinds) {
      const window: Window = { device, name, kinds, endMs: Number.POSITIVE_INFINITY };
      const now = nowMs();
      windows = [...windows.filter(({ endMs }) => endMs > now - REMEMBERED_MS), window];
      return {
        end() {
          window.endMs = Math.min(window.endMs, nowMs());
        },
      };
    },
    kinds: (devices, sinceMs) => new Set(met(devices, sinceMs).flatMap(({ kinds }) => kinds)),
    names: (devices, sinceMs) => [...new Set(met(devices, sinceMs).map(({ device, name }) => `${device}: ${name}`))],
  };
}
