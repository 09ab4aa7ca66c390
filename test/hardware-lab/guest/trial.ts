import { appendFileSync } from "node:fs";
import { type Action, type DeviceName, NOTICED_WITHIN_MS, type Row } from "../rows.js";
import type { Plugged } from "./bench.js";
import type { Station } from "./station.js";

export interface Outcome {
  readonly goneMs?: number;
  readonly backMs?: number;
  /** The kernel itself may be so much later. */
  readonly kernelMs?: number;
  readonly outcome: string;
}

/** What the emulated machine adds to a time is never less than nothing: a late row is carried out again, and only late each time it is wrong. */
const ATTEMPTS = 3;

/** Something that did not go as it must. */
export class Wrong extends Error {}
export function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Wrong(otherwise);
}

/** Carries out one row and writes it down at once: a run that breaks off has told what it saw. */
export async function trial<D extends DeviceName>(
  device: D,
  action: Action<D> | `${number} cycles`,
  work: () => Promise<Outcome>,
): Promise<void> {
  let row: Row | undefined;
  const began = performance.now();
  const late: number[] = [];
  try {
    while (!row) {
      const { kernelMs = 0, ...outcome } = await work();
      const longestMs = Math.max(outcome.goneMs ?? 0, outcome.backMs ?? 0);
      const ok = longestMs <= NOTICED_WITHIN_MS + kernelMs;
      if (!ok) late.push(Math.round(longestMs));
      if (!ok && late.length < ATTEMPTS) continue;
      const before = late.length > 0 ? ` (late: ${late.join(", ")} ms)` : "";
      row = { device, action, ok, ...outcome, outcome: `${outcome.outcome}${before}` };
    }
  } catch (thrown) {
    row = {
      device,
      action,
      ok: false,
      outcome: thrown instanceof Wrong ? thrown.message : String(thrown instanceof Error ? thrown.stack : thrown),
    };
  }
  appendFileSync("/lab/results/rows.jsonl", `${JSON.stringify(row)}\n`);
  console.log(
    `${(performance.now() / 1_000).toFixed(1)} ${device}, ${action} (${Math.round(performance.now() - began)} ms): ${Math.round(row.goneMs ?? 0)} ${Math.round(row.backMs ?? 0)} ${row.ok ? "" : "WRONG: "}${row.outcome}`,
  );
}

const works = (state: string): boolean => state === "ready" || state === "busy";
const isGone = (state: string): boolean => !works(state);

/** No hand is quicker between pulling and pushing. */
const HAND_MS = 1_000;

/** Pulls it and puts it back; resolves when the page has heard both. */
export async function pullAndPush(
  { page: _page, ...station }: Station,
  device: string,
  plug: Pick<Plugged, "pull" | "push">,
  push: () => Promise<void> = plug.push,
): Promise<{ goneMs: number; backMs: number }> {
  const goneMs = await pulled(station, device, plug);
  return { goneMs, backMs: await pushed(station, device, push) };
}

export async function pulled(station: Pick<Station, "until">, device: string, plug: Pick<Plugged, "pull">): Promise<number> {
  const at = performance.now();
  await plug.pull();
  return (await station.until(device, isGone)) - at;
}

export async function pushed(station: Pick<Station, "until">, device: string, push: () => Promise<void>): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, HAND_MS));
  const at = performance.now();
  await push();
  return (await station.until(device, works, 20_000)) - at;
}
