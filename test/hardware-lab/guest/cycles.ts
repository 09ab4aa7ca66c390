import { readdirSync, readFileSync } from "node:fs";
import { type DeviceName, NOTICED_WITHIN_MS } from "../rows.js";
import type { Plugged } from "./bench.js";
import type { Station } from "./station.js";
import { must, pullAndPush, trial } from "./trial.js";

/** By then caches are warm and each lazy module is loaded. */
const WARM = 10;
/** The kernel's own slack, and V8's: what leaks grows with each cycle. */
const MAY_GROW_MIB = 12;

/** An emulated machine is kept from its processor now and then. */
const MAY_BE_LATE = 0.05;

/** Pulled and pushed again and again: none is missed, and the agent's memory and files stay what they are. */
export async function cycles(station: Station, device: DeviceName, plug: Pick<Plugged, "pull" | "push">, count: number): Promise<void> {
  await trial(device, `${count} cycles`, async () => {
    const gone: number[] = [];
    const back: number[] = [];
    let warm = measure(station.pid);
    for (let cycle = 0; cycle < count; cycle++) {
      if (cycle === Math.min(WARM, count >> 1)) warm = measure(station.pid);
      const times = await pullAndPush(station, device, plug);
      gone.push(times.goneMs);
      back.push(times.backMs);
    }
    const end = measure(station.pid);
    const told = `${warm.mib} → ${end.mib} MiB, ${warm.files} → ${end.files} files`;
    must(end.mib - warm.mib <= MAY_GROW_MIB, `the agent has grown: ${told}`);
    must(end.files <= warm.files + 2, `files are left open: ${told}`);
    const late = back.filter((ms, cycle) => Math.max(ms, gone[cycle] ?? 0) > NOTICED_WITHIN_MS).length;
    must(late <= Math.ceil(count * MAY_BE_LATE), `${late} of ${count} were later than ${NOTICED_WITHIN_MS} ms`);
    const slowest = `slowest ${Math.round(Math.max(...gone))} and ${Math.round(Math.max(...back))} ms, ${late} late`;
    return { goneMs: median(gone), backMs: median(back), outcome: `${slowest}; ${told}` };
  });
}

function measure(pid: number): { readonly mib: number; readonly files: number } {
  const [, kib = "0"] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return { mib: Math.round(Number(kib) / 1_024), files: readdirSync(`/proc/${pid}/fd`).length };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
