import { systemClock } from "../../src/kernel/clock.js";
import { JOURNEY_KINDS, type JourneyKind } from "./schedule.js";

/** All that is counted. */
export interface Book {
  readonly journeys: Readonly<Record<JourneyKind, Tally>>;
  /** Device → fault → how often. */
  readonly faults: Map<string, Map<string, number>>;
  /** Device → how long it took to be well again. */
  readonly recoveries: Map<string, number[]>;
  readonly failures: Map<string, number>;
  readonly wrongs: readonly string[];
  /** Of loops of the agent, as it tells them. */
  readonly loopDelayMs: number[];
  fault(device: string, name: string): void;
  recovered(device: string, ms: number): void;
  failed(how: string): void;
  /** @param sinceMs what the agent logged from then on is told with it */
  wrong(text: string, sinceMs?: number): void;
  /** Stopped early: what ends now was ended by that, and counts no more. */
  shut(): void;
}

export interface Tally {
  done: number;
  failed: number;
  left: number;
  wrong: number;
  /** Of those that nothing touched. */
  readonly ms: number[];
}

const LINES_TOLD = 25;
const WRONGS_TOLD = 40;
const clock = systemClock();

export function openBook(logged: (fromMs: number, toMs: number) => readonly string[], say: (text: string) => void): Book {
  const wrongs: string[] = [];
  let open = true;
  const add = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1);
  const faults = new Map<string, Map<string, number>>();
  const recoveries = new Map<string, number[]>();
  const failures = new Map<string, number>();
  const empty = (): Tally => ({ done: 0, failed: 0, left: 0, wrong: 0, ms: [] });
  return {
    journeys: Object.fromEntries(JOURNEY_KINDS.map((kind) => [kind, empty()])) as Record<JourneyKind, Tally>,
    faults,
    recoveries,
    failures,
    wrongs,
    loopDelayMs: [],
    fault(device, name) {
      const ofDevice = faults.get(device) ?? new Map<string, number>();
      faults.set(device, ofDevice);
      add(ofDevice, name);
    },
    recovered: (device, ms) => void recoveries.set(device, [...(recoveries.get(device) ?? []), ms]),
    failed: (how) => add(failures, how),
    shut() {
      open = false;
    },
    wrong(text, sinceMs) {
      if (!open) return;
      wrongs.push(text);
      if (wrongs.length > WRONGS_TOLD) return;
      say(`WRONG ${text}\n`);
      if (sinceMs === undefined) return;
      const lines = logged(sinceMs - 1_000, clock.monotonicMs());
      for (const line of lines.slice(-LINES_TOLD)) say(`    ${line}\n`);
    },
  };
}
