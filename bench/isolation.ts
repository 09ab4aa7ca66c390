import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/kernel/clock.js";
import type { Connect, Link } from "../src/kernel/link.js";
import { type Logger, silentLog } from "../src/kernel/log.js";
import { hosted } from "../src/transports/host/host.js";
import { type SerialSettings, serial } from "../src/transports/serial.js";
import { LinkSettings } from "../src/transports/settings.js";
import { cpuTicks, median, residentKib } from "./process.js";
import type { BenchResult, BenchRow } from "./report.js";

const ROUNDS = 20;
const TRIPS_A_ROUND = 100;
const STARTS = 9;
const IDLE_MS = 10_000;
/** A command to a terminal, and a band of dots to a printer. */
const SIZES = { command: 16, band: 2_048 } as const;
const never = new AbortController().signal;
const clock = systemClock();

/**
 * The price of a transport's own process: a question and its answer over a serial line whose far end sends back what it gets, hosted and in
 * our own process, turn by turn; what opening takes when a child has to be started for it, and when one is left; what a child needs at rest.
 */
export async function isolation(): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), "stationd-bench-isolation-"));
  const lines = [await echoLine(join(folder, "hosted")), await echoLine(join(folder, "own"))] as const;
  const pids: number[] = [];
  const log: Logger = { ...silentLog, with: () => log, debug: (_event, fields) => fields?.pid !== undefined && pids.push(fields.pid) };
  const settings = (path: string): SerialSettings => LinkSettings.parse({ kind: "serial", path, baudRate: 115_200 }) as SerialSettings;
  const [inChild, inOwn] = [hosted(settings(lines[0].path), { clock, log }), serial(settings(lines[1].path), clock)];
  try {
    const started = await timesOfOpening(() => hosted(settings(lines[0].path), { clock, log }), pids, true);
    const reused = await timesOfOpening(() => inChild, pids, false);
    const opened = await timesOfOpening(() => inOwn, pids, false);

    const [hostedLink, ownLink] = [await inChild(never), await inOwn(never)];
    const pid = pids.at(-1) ?? 0;
    const trips = { hosted: { command: [] as number[], band: [] as number[] }, own: { command: [] as number[], band: [] as number[] } };
    for (let round = -1; round < ROUNDS; round++) {
      for (const [size, bytes] of Object.entries(SIZES) as [keyof typeof SIZES, number][]) {
        const ours = await roundTrips(hostedLink, bytes);
        const floor = await roundTrips(ownLink, bytes);
        // The first round warms up.
        if (round < 0) continue;
        trips.hosted[size].push(...ours);
        trips.own[size].push(...floor);
      }
    }
    const ticks = cpuTicks(pid);
    await clock.sleep(IDLE_MS);
    const idleCpuPercent = ((cpuTicks(pid) - ticks) * 10 * 100) / IDLE_MS;
    const childRssMib = residentKib(pid) / 1_024;
    const childOwnMib = ownKib(pid) / 1_024;
    await hostedLink.close();
    await ownLink.close();
    const trip = (what: string, size: keyof typeof SIZES, part: number): BenchRow => ({
      what,
      unit: "µs",
      ours: quantile(trips.hosted[size], part) * 1_000,
      floor: { value: quantile(trips.own[size], part) * 1_000, is: "in the agent's own process" },
    });
    const open = { value: median(opened), is: "in the agent's own process" };
    return {
      name: "isolation",
      rows: [
        trip("a transport in its own process: 16 bytes there and back, p50", "command", 0.5),
        trip("the same, p99", "command", 0.99),
        trip("2 KiB there and back, p50", "band", 0.5),
        trip("the same, p99", "band", 0.99),
        { what: "opening, its process to be started", unit: "ms", ours: median(started), floor: open },
        { what: "opening again", unit: "ms", ours: median(reused), floor: open },
        { what: "memory of the process, its own alone", unit: "MiB", ours: childOwnMib },
        { what: "its processor at rest", unit: "%", ours: idleCpuPercent },
      ],
      beside: { childRssMib },
    };
  } finally {
    for (const line of lines) await line.close();
    // The one that is left waits for its device.
    for (const pid of pids) end(pid);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function timesOfOpening(connect: () => Connect, pids: number[], fresh: boolean): Promise<number[]> {
  const took: number[] = [];
  for (let run = -1; run < STARTS; run++) {
    const started = performance.now();
    const link = await connect()(never);
    if (run >= 0) took.push(performance.now() - started);
    await link.close();
    if (fresh) for (const pid of pids.splice(0)) end(pid);
  }
  return took;
}

async function roundTrips(link: Link, bytes: number): Promise<number[]> {
  const sent = new Uint8Array(bytes).fill(0x55);
  const took: number[] = [];
  for (let trip = 0; trip < TRIPS_A_ROUND; trip++) {
    const started = performance.now();
    await link.write(sent, never);
    for (let missing = bytes; missing > 0; ) missing -= (await link.read(never)).length;
    took.push(performance.now() - started);
  }
  return took;
}

/** A pseudo-terminal that sends back what it gets, and stays when a program closes it, as a port does. */
async function echoLine(path: string): Promise<{ readonly path: string; close(): Promise<void> }> {
  const socat = spawn("socat", [`pty,raw,echo=0,link=${path}`, "EXEC:cat"], { stdio: "ignore" });
  const exited = once(socat, "exit");
  while (!existsSync(path) && socat.exitCode === null) await clock.sleep(2);
  const held = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  return {
    path,
    async close() {
      closeSync(held);
      socat.kill("SIGKILL");
      await exited;
    },
  };
}

/** What would be free without it: program and libraries are shared with the agent. */
function ownKib(pid: number): number {
  const pages = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8").matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm);
  return [...pages].reduce((sum, [, kib]) => sum + Number(kib), 0);
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}
