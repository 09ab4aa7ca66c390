/**
 * `npm run torture:print -- --runs 200 [--seed N]`: one receipt per run, and in each run the worst at the worst moment:
 * the agent killed at a step of its journal or at a byte, the wire cut at a byte, the printer switched off at a byte,
 * replies lost. Then everything comes back, and what the agent says of each job is held against the paper.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstLine, node } from "../../bench/process.js";
import { receiptPrinter } from "../../simulators/receipt-printer/index.js";
import { serveTcp } from "../../simulators/serve.js";
import { connectStation, type StationClient } from "../../src/client/node.js";
import { equalBytes } from "../../src/kernel/bytes.js";
import { systemClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import type { PrintJob } from "../../src/protocol/jobs.js";
import { cuttableWire } from "./cuttable-wire.js";
import { tortureReceipt } from "./receipt.js";

const STEPS = ["queued", "sending", "finishing", "sent", "ended"] as const;
const argument = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const runs = argument("runs", 200);
const seed = argument("seed", Date.now() % 1_000_000);
const random = seededRandom(seed);
const pick = (below: number): number => Math.floor(random.fraction() * below);

const folder = mkdtempSync(join(tmpdir(), "stationd-torture-"));
const token = randomUUID();
const tokenSha256 = createHash("sha256").update(token).digest("hex");
const clock = systemClock();
const printer = receiptPrinter.create(receiptPrinter.options.parse({ keepReceipts: 10_000 }), { clock, random, changed: () => {} });
const served = await serveTcp(printer, { host: "127.0.0.1", port: 0 });
const wire = await cuttableWire(served.port);

const DEVICES = `[devices.receipt]
driver = "escpos"
link = { kind = "tcp", host = "127.0.0.1", port = ${wire.port} }`;

interface RunningAgent {
  readonly client: StationClient;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  kill(): void;
  stop(): Promise<void>;
}

async function startAgent(point: string): Promise<RunningAgent> {
  const child = node("../test/torture/agent.js", [join(folder, "state"), DEVICES, tokenSha256, point], false);
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const client = await connectStation({ url: await firstLine(child), client: { name: "torture", version: "1" }, token, reconnect: false });
  return {
    client,
    gone,
    kill: () => void child.kill("SIGKILL"),
    async stop() {
      client.close();
      child.stdin?.end();
      await gone;
    },
  };
}

const print = (client: StationClient, idempotencyKey: string): Promise<PrintJob> =>
  client.call("printer.print", { document: tortureReceipt, idempotencyKey, timeoutMs: 20_000 });

/** Asks until the job has ended, however often the answer is "not yet". */
async function endOf(client: StationClient, idempotencyKey: string): Promise<PrintJob | undefined> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const job = await client.call("jobs.get", { idempotencyKey }).catch((error: { kind?: string }) => {
      if (error.kind === "job_not_found") return undefined;
      throw error;
    });
    if (job?.kind === "payment") throw new Error(`${idempotencyKey} is the key of a payment`);
    if (!job || job.final) return job;
    await clock.sleep(50);
  }
  throw new Error(`job ${idempotencyKey} did not end`);
}

const whole = (): number => printer.receipts.filter((receipt) => reference && equalBytes(receipt.rows.bits, reference)).length;
let reference: Uint8Array | undefined;
let receiptBytes = 0;

// One clean receipt: what a whole one looks like, and how many bytes it takes.
let agent = await startAgent("never");
const before = Number(printer.state().bytesReceived);
const clean = await print(agent.client, randomUUID());
if (clean.state !== "printed") throw new Error(`the clean receipt ended ${clean.state}`);
receiptBytes = Number(printer.state().bytesReceived) - before;
reference = printer.receipts.at(-1)?.rows.bits.slice();
await agent.stop();

const tally: Record<string, { runs: number; printed: number; failed: number; notStarted: number; unknown: number; paper: number }> = {};
let duplicates = 0;
let lost = 0;
let untrue = 0;
let voids = 0;

interface Misfortune {
  readonly name: string;
  readonly point: string;
  strike?(agent: RunningAgent): void;
}

function misfortune(run: number): Misfortune {
  const kind = run % 14;
  if (kind < 10) {
    const point = `${kind % 2 ? "after" : "before"} ${STEPS[kind >> 1]}`;
    return { name: `killed ${point}`, point };
  }
  // Half of the blows fall on the last bytes, where a receipt becomes whole.
  const at = random.fraction() < 0.5 ? 1 + pick(receiptBytes) : receiptBytes - 60 + pick(100);
  const act = (name: string) => () => void printer.actions[name]?.act({});
  const cuts: Misfortune[] = [
    { name: "wire cut at a byte", point: "never", strike: () => wire.cutAfter(at, () => setTimeout(wire.join, 30)) },
    {
      name: "killed at a byte",
      point: "never",
      strike: (running) =>
        wire.cutAfter(at, () => {
          running.kill();
          wire.join();
        }),
    },
    {
      name: "printer switched off at a byte",
      point: "never",
      strike: () =>
        wire.cutAfter(at, () => {
          act("powerCycle")();
          wire.join();
        }),
    },
    {
      name: "wire cut, replies lost",
      point: "never",
      strike: () =>
        wire.cutAfter(at, () => {
          void printer.actions.loseReplies?.act({ count: 1 + pick(4) });
          wire.join();
        }),
    },
  ];
  return cuts[kind - 10] ?? { name: "nothing", point: "never" };
}

for (let run = 0; run < runs; run++) {
  const { name, point, strike } = misfortune(run);
  const key = randomUUID();
  agent = await startAgent(point);
  const copies = whole();
  const pieces = printer.receipts.length;
  strike?.(agent);
  await Promise.race([print(agent.client, key).catch(() => undefined), agent.gone]);
  wire.join();
  agent.kill();
  await agent.gone;
  agent.client.close();
  agent = await startAgent("never");
  const job = await endOf(agent.client, key);
  // The printer must be clean for the next citizen: a fresh receipt comes out whole and alone.
  const next = await print(agent.client, randomUUID());
  await agent.stop();

  const state = job?.state ?? "not_started";
  const paper = whole() - copies - (next.state === "printed" ? 1 : 0);
  if (next.state !== "printed") throw new Error(`run ${run} (${name}): the next receipt ended ${next.state}`);
  if (paper > 1) duplicates++;
  if (state === "printed" && paper < 1) lost++;
  if ((state === "failed" || state === "not_started") && paper > 0) untrue++;
  voids += printer.receipts.length - pieces - paper - 1;
  tally[name] ??= { runs: 0, printed: 0, failed: 0, notStarted: 0, unknown: 0, paper: 0 };
  const row = tally[name];
  row.runs++;
  row.paper += paper;
  if (state === "printed") row.printed++;
  else if (state === "failed") row.failed++;
  else if (state === "not_started") row.notStarted++;
  else row.unknown++;
}

const rows = Object.entries(tally).sort();
const total = rows.reduce((sum, [, row]) => sum + row.unknown, 0);
const columns = ["runs", "printed", "failed", "notStarted", "unknown", "paper"] as const;
const line = (label: string, cells: readonly (string | number)[]): string =>
  `${label.padEnd(32)}${cells.map((cell) => String(cell).padStart(11)).join("")}\n`;
process.stdout.write(line("", ["jobs", "printed", "failed", "not started", "unknown", "on paper"]));
for (const [name, row] of rows)
  process.stdout.write(
    line(
      name,
      columns.map((column) => row[column]),
    ),
  );
process.stdout.write(
  `\njobs ${runs} · receipts on paper ${rows.reduce((sum, [, row]) => sum + row.paper, 0)} · duplicates ${duplicates} · lost ${lost} · ` +
    `said not printed but on paper ${untrue} · torn pieces marked void ${voids} · unknown ${total} · seed ${seed}\n`,
);
await wire.close();
await served.close();
await printer.close();
rmSync(folder, { recursive: true, force: true });
process.exitCode = duplicates + lost + untrue + total > 0 ? 1 : 0;
