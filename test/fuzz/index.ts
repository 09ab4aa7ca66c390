/**
 * `npm run fuzz -- --inputs 10000000 [--seed N] [--only NAME [--at INDEX]] [--patience SECONDS]`: hostile bytes for every decoder of what
 * comes from outside, and for the WebSocket of a whole agent. A decoder may return or throw a DeviceError: anything else is a crash; an
 * input that computes longer than the patience, or is waited for ten times as long, is a hang. Either is told with what repeats it.
 */
import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FromWorker, type Part, type Plan, rest, share } from "./plan.js";
import { decoders } from "./table.js";

const MOST_FAULTS = 20;
const MOST_GROWTH_MIB = 300;
const text = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const number = (name: string, fallback: number): number => Number(text(name) ?? fallback);
const inputs = number("inputs", 200_000);
const seed = number("seed", Date.now() % 1_000_000);
const patienceMs = number("patience", 30) * 1_000;
const only = text("only");
const at = text("at");
const chosen = decoders.filter(({ name }) => only === undefined || name === only);
if (chosen.length === 0 || !(inputs > 0)) {
  process.stderr.write(`--inputs is a number, and --only one of: ${decoders.map(({ name }) => name).join(" · ")}\n`);
  process.exit(2);
}

interface Row {
  done: number;
  ms: number;
  slowestMs: number;
}
const rows = new Map<string, Row>(chosen.map(({ name }) => [name, { done: 0, ms: 0, slowestMs: 0 }]));
const faults: string[] = [];
let stopped = false;
const rss = { start: 0, end: 0 };
const folder = mkdtempSync(join(tmpdir(), "stationd-fuzz-"));
const careful = join(folder, "input");
const again = (name: string, index: number): string => `npm run fuzz -- --seed ${seed} --only ${JSON.stringify(name)} --at ${index}`;
const fault = (line: string): void => {
  faults.push(line);
  process.stderr.write(`${line}\n`);
};

/** What a process has computed so far: on a busy machine, where it has to wait for its turn, that tells a hang from patience. */
function cpuTimeMs(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    // utime and stime, proc(5) fields 14 and 15, in hundredths of a second.
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return 0;
  }
}

/** One child. Resolves with the work that is left where it died or was killed, or with none. */
function work(plan: Plan): Promise<Part[]> {
  return new Promise((resolve) => {
    const worker = fork(fileURLToPath(new URL("worker.js", import.meta.url)), [JSON.stringify(plan)], {
      execArgv: ["--expose-gc", "--max-old-space-size=768"],
    });
    let [part, next] = [0, plan.parts[0]?.from ?? 0];
    let ended = false;
    let crashedAt: number | undefined;
    let since = performance.now();
    let heard = true;
    const stop = (): void => {
      stopped = true;
      worker.kill("SIGKILL");
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
    let spent = 0;
    const dog = setInterval(() => {
      const silentMs = performance.now() - since;
      const cpuMs = cpuTimeMs(worker.pid);
      if (heard) [spent, heard] = [cpuMs, false];
      if (cpuMs - spent > patienceMs || silentMs > 10 * patienceMs) worker.kill("SIGKILL");
    }, 1_000);
    worker.on("message", (message: FromWorker) => {
      const now = performance.now();
      if (message.type === "start") rss.start ||= message.rssMib;
      else if (message.type === "end") {
        ended = true;
        rss.end = Math.max(rss.end, message.rssMib);
      } else if (message.type === "crash") {
        crashedAt = message.index;
        const how = message.input === undefined ? "" : `\n  input (base64) ${message.input.slice(0, 4_000)}`;
        fault(`CRASH ${message.name} at ${message.index}: ${message.error}${how}\n  ${again(message.name, message.index)}`);
        if (faults.length >= MOST_FAULTS) worker.kill("SIGKILL");
      } else {
        if (message.part !== part) [part, next] = [message.part, plan.parts[message.part]?.from ?? 0];
        const row = rows.get(plan.parts[part]?.name ?? "");
        if (row) {
          row.done += message.next - next;
          row.ms += now - since;
          row.slowestMs = Math.max(row.slowestMs, message.slowestMs);
        }
        next = message.next;
        crashedAt = undefined;
      }
      since = now;
      heard = true;
    });
    worker.on("exit", (code, signal) => {
      clearInterval(dog);
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
      if (ended || stopped || faults.length >= MOST_FAULTS) return resolve([]);
      const left = rest(plan.parts, part, next);
      if (plan.careful === undefined && crashedAt === undefined) return resolve(left);
      const [current] = left;
      const index = crashedAt ?? Number(readFileSync(careful, "utf8"));
      if (crashedAt === undefined && current)
        fault(`HANG OR DEATH (${signal ?? code}) ${current.name} at ${index}\n  ${again(current.name, index)}`);
      resolve(rest(left, 0, index + 1));
    });
  });
}

process.stdout.write(`seed ${seed}\n`);
const begun = performance.now();
let left = at === undefined ? share(inputs, chosen) : [{ name: only ?? "", from: Number(at), to: Number(at) + 1 }];
for (let first = true; left.length > 0 && faults.length < MOST_FAULTS && !stopped; first = false) {
  // After the first death each input is noted down before it is tried: the one that repeats it is found by that.
  left = await work({ seed, parts: left, ...(first ? {} : { careful }) });
}
rmSync(folder, { recursive: true, force: true });

const rate = (done: number, ms: number): string => Math.round(done / Math.max(ms / 1_000, 0.001)).toLocaleString("en");
for (const [name, { done, ms, slowestMs }] of rows) {
  const figures = [done.toLocaleString("en").padStart(10), rate(done, ms).padStart(10), slowestMs.toFixed(1).padStart(8)];
  process.stdout.write(`${name.padEnd(40)} ${figures[0]} inputs ${figures[1]}/s  slowest ${figures[2]} ms\n`);
}
const total = [...rows.values()].reduce((sum, { done }) => sum + done, 0);
const crashes = faults.filter((line) => line.startsWith("CRASH")).length;
process.stdout.write(
  `${total.toLocaleString("en")} inputs, ${rows.size} decoders, ${crashes} crashes, ${faults.length - crashes} hangs, ` +
    `${rate(total, performance.now() - begun)}/s, RSS ${rss.start} MiB at the start and ${rss.end} MiB at the end, seed ${seed}\n`,
);
if (rss.end - rss.start > MOST_GROWTH_MIB) fault("memory grew");
if (stopped) process.stdout.write("stopped before its end\n");
if (faults.length > 0 || stopped) process.exitCode = 1;
