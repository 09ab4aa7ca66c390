import { readdirSync, readFileSync } from "node:fs";
import { type DeviceName, NOTICED_WITHIN_MS } from "../rows.js";
import type { Plugged } from "./bench.js";
import type { Station } from "./station.js";
import { must, pullAndPush, trial } from "./trial.js";

/** The kernel's own slack, and V8's: what leaks grows with each cycle. */
const MAY_GROW_MIB = 12;
/** An emulated machine is kept from its processor now and then. */
const MAY_BE_LATE = 0.05;
/** What was begun by the last cycle is over by then. */
const SETTLES_MS = 5_000;

export type Cable = readonly [device: DeviceName, plug: Pick<Plugged, "pull" | "push">];

/**
 * Each cable is pulled and pushed `count` times, those of a lane one after the other, lanes side by side: none is missed, and over the
 * second half the agent's memory and files stay what they are.
 */
export async function cycles(station: Station, lanes: readonly (readonly Cable[])[], count: number): Promise<void> {
  const gone = new Map<DeviceName, number[]>();
  const back = new Map<DeviceName, number[]>();
  const half = async (times: number): Promise<Measured> => {
    await Promise.all(
      lanes.map(async (lane) => {
        for (const [device, plug] of lane) {
          await station.until(device, (state) => state === "ready", 60_000);
          for (let cycle = 0; cycle < times; cycle++) {
            const { goneMs, backMs } = await pullAndPush(station, device, plug);
            gone.set(device, [...(gone.get(device) ?? []), goneMs]);
            back.set(device, [...(back.get(device) ?? []), backMs]);
          }
          console.log(`${(performance.now() / 1_000).toFixed(1)} ${device}: ${gone.get(device)?.length} cycles`);
        }
      }),
    );
    for (const [device] of lanes.flat()) await station.until(device, (state) => state === "ready", 60_000);
    await new Promise((resolve) => setTimeout(resolve, SETTLES_MS));
    return measure(station.pid);
  };
  const warm = await half(count >> 1);
  const end = await half(count - (count >> 1));
  for (const [device] of lanes.flat()) {
    await trial(device, `${count} cycles`, async () => {
      const all = [gone.get(device) ?? [], back.get(device) ?? []] as const;
      const [slowestGone, slowestBack] = all.map((values) => Math.round(Math.max(...values)));
      const late = all[1].filter((ms, cycle) => Math.max(ms, all[0][cycle] ?? 0) > NOTICED_WITHIN_MS).length;
      must(late <= Math.ceil(count * MAY_BE_LATE), `${late} of ${count} were later than ${NOTICED_WITHIN_MS} ms`);
      return {
        goneMs: median(all[0]),
        backMs: median(all[1]),
        outcome: `none missed; slowest ${slowestGone} and ${slowestBack} ms, ${late} late`,
      };
    });
  }
  await trial("station", `${count} cycles`, async () => {
    const told = `${warm.mib} → ${end.mib} MiB, ${warm.files} → ${end.files} files`;
    must(end.mib - warm.mib <= MAY_GROW_MIB, `the agent has grown: ${told}`);
    must(end.files <= warm.files + 2, `files are left open: ${told}`);
    return { outcome: `${told} over the second half` };
  });
}

interface Measured {
  readonly mib: number;
  readonly files: number;
}

function measure(pid: number): Measured {
  const [, kib = "0"] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return { mib: Math.round(Number(kib) / 1_024), files: readdirSync(`/proc/${pid}/fd`).length };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
