/** Loaded before the agent (`--import`): at each SIGUSR2 writes how late its event loop was since the last one, and begins anew. */
import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

/** The histogram holds whole intervals between two ticks: this is what they are when nothing is late. */
const INTERVAL_MS = 10;
const file = process.env.BENCH_LOOP_FILE;
if (isMainThread && file) {
  const delay = monitorEventLoopDelay({ resolution: INTERVAL_MS });
  delay.enable();
  process.on("SIGUSR2", () => {
    const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - INTERVAL_MS);
    const seen = { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max), samples: delay.count };
    writeFileSync(`${file}.part`, JSON.stringify(seen));
    renameSync(`${file}.part`, file);
    delay.reset();
  });
}
