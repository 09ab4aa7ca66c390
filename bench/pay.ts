import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveTcp } from "../simulators/serve.js";
import { zvtTerminal } from "../simulators/zvt-terminal/index.js";
import { connectStation } from "../src/client/node.js";
import { openJournal } from "../src/journal/open.js";
import type { JobRecord } from "../src/journal/types.js";
import { systemClock } from "../src/kernel/clock.js";
import { randomId, seededRandom } from "../src/kernel/random.js";
import { benchAgent, ended, median, node } from "./process.js";
import type { BenchResult } from "./report.js";

const PAYMENTS = 60;
const COMMITS = 400;

/**
 * What the agent adds to a payment: from the call to its answer on a terminal, host and cardholder that take no time. And durable marks per
 * second through the journal's worker, against bare writes with `fdatasync` in the same folder.
 */
export async function pay(): Promise<BenchResult> {
  const payment = await payments();
  const folder = mkdtempSync(join(tmpdir(), "stationd-bench-pay-"));
  try {
    const floor = bareCommits(folder);
    const ours = await journalCommits(folder);
    return {
      name: "pay",
      rows: [
        { what: "added to a payment (terminal, host and cardholder take no time), p50", unit: "ms", ours: median(payment) },
        { what: "the same, p99", unit: "ms", ours: quantile(payment, 0.99) },
        {
          what: "durable marks through the journal",
          unit: "/s",
          ours,
          floor: { value: floor, is: "bare writes with fdatasync in the same folder" },
        },
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function payments(): Promise<number[]> {
  const options = zvtTerminal.options.parse({ presentMs: 0, hostMs: 0, removeMs: 0 });
  const terminal = zvtTerminal.create(options, { clock: systemClock(), random: seededRandom(1), changed: () => {} });
  const wire = await serveTcp(terminal, { host: "127.0.0.1", port: 0 });
  const agent = await benchAgent(
    `[devices.terminal]\ndriver = "zvt"\npassword = "123456"\nlink = { kind = "tcp", host = "127.0.0.1", port = ${wire.port} }`,
  );
  const server = node("../bundle/stationd.js", agent.args, false);
  try {
    const client = await connectStation({ url: agent.url, client: { name: "bench", version: "1" }, token: agent.token });
    while ((await client.call("devices.get", { device: "terminal" })).state !== "ready") {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const took: number[] = [];
    for (let run = -3; run < PAYMENTS; run++) {
      const started = performance.now();
      const { state } = await client.call("paymentTerminal.pay", {
        amountVnd: 1_000,
        reference: "BENCH",
        idempotencyKey: `bench-pay-${run + 100}`,
      });
      if (state !== "approved") throw new Error(`the payment ended ${state}`);
      if (run >= 0) took.push(performance.now() - started);
    }
    client.close();
    return took;
  } finally {
    server.kill();
    await ended(server);
    await terminal.close();
    await wire.close();
    agent.remove();
  }
}

/** One write and one `fdatasync` each, as a journal of the simplest kind would. */
function bareCommits(folder: string): number {
  const file = openSync(join(folder, "bare"), "w");
  const bytes = Buffer.alloc(512, 1);
  const started = performance.now();
  for (let commit = 0; commit < COMMITS; commit++) {
    writeSync(file, bytes);
    fdatasyncSync(file);
  }
  const perSecond = (COMMITS / (performance.now() - started)) * 1_000;
  closeSync(file);
  return perSecond;
}

async function journalCommits(folder: string): Promise<number> {
  const journal = openJournal(folder);
  const random = seededRandom(2);
  const now = Date.now();
  const record: JobRecord = {
    id: randomId(random),
    kind: "payment",
    device: "terminal",
    principal: "token:bench",
    idempotencyKey: "bench-commit-1",
    requestHmac: "0",
    step: "created",
    outcome: undefined,
    evidence: { amountVnd: 1_000 },
    createdAt: now,
    updatedAt: now,
  };
  await journal.begin(record);
  const started = performance.now();
  for (let commit = 0; commit < COMMITS; commit++) await journal.advance(record.id, { step: "armed", updatedAt: now + commit });
  const perSecond = (COMMITS / (performance.now() - started)) * 1_000;
  await journal.close();
  return perSecond;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}
