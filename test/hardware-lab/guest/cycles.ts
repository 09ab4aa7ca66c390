import { readdirSync, readFileSync } from "node:fs";
import type { DeviceName } from "../rows.js";
import type { Plugged } from "./bench.js";
import type { Station } from "./station.js";
import { must, pullAndPush, trial } from "./trial.js";

/** By then caches are warm and each lazy module is loaded. */
const WARM = 10;
/** The kernel's own slack, and V8's: what leaks grows with each cycle. */
const MAY_GROW_MIB = 12;

/** Pulled and pushed again and again: none is missed, and the agent's memory and files stay what they are. */
export async function cycles(station: Station, device: DeviceName, plug: Pick<Plugged, "pull" | "push">, count: number): Promise<void> {
  await trial(device, `${count} cycles`, async () => {
    let goneMs = 0;
    let backMs = 0;
    let warm = measure(station.pid);
    for (let cycle = 0; cycle < count; cycle++) {
      if (cycle === Math.min(WARM, count >> 1)) warm = measure(station.pid);
      const times = await pullAndPush(station, device, plug);
      goneMs = Math.max(goneMs, times.goneMs);
      backMs = Math.max(backMs, times.backMs);
    }
    const end = measure(station.pid);
    const told = `${warm.mib} → ${end.mib} MiB, ${warm.files} → ${end.files} files`;
    must(end.mib - warm.mib <= MAY_GROW_MIB, `the agent has grown: ${told}`);
    must(end.files <= warm.files + 2, `files are left open: ${told}`);
    return { goneMs, backMs, outcome: told };
  });
}

function measure(pid: number): { readonly mib: number; readonly files: number } {
  const [, kib = "0"] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return { mib: Math.round(Number(kib) / 1_024), files: readdirSync(`/proc/${pid}/fd`).length };
}
