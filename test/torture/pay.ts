/**
 * `npm run torture:pay -- --runs 200 [--seed N]`: one payment per run, and in each run the worst at the worst moment: the agent killed before or
 * after a durable write or at a byte, the wire cut at a step of the protocol while the host approves or declines and the taking back works,
 * is late or fails, the terminal restarted, faults of the list. Then everything comes back, and what the agent says of each payment is held
 * against the terminal's ledger, which is the truth.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstLine, node } from "../../bench/process.js";
import { serveTcp } from "../../simulators/serve.js";
import { FAULT_NAMES, type FaultName, STEP_NAMES } from "../../simulators/zvt-terminal/faults.js";
import { zvtTerminal } from "../../simulators/zvt-terminal/index.js";
import { connectStation, type StationClient } from "../../src/client/node.js";
import { systemClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import type { PaymentJob } from "../../src/protocol/payment-terminal.js";
import { cuttableWire } from "./cuttable-wire.js";

/** Agent and terminal live twenty times as fast. */
const FACTOR = 20;
const MARKS = ["created", "armed", "sent", "held", "answering", "ended"] as const;
const argument = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const runs = argument("runs", 200);
const seed = argument("seed", Date.now() % 1_000_000);
const random = seededRandom(seed);
const pick = <T>(from: readonly T[]): T => from[Math.floor(random.fraction() * from.length)] as T;

const folder = mkdtempSync(join(tmpdir(), "stationd-torture-pay-"));
const token = randomUUID();
const tokenSha256 = createHash("sha256").update(token).digest("hex");
const realClock = systemClock();
/** One time for all processes: what one run notes, the next compares with its own. */
const startedAt = Date.now();
const options = { presentMs: 400, hostMs: 400, removeMs: 200, autoReversalMs: 1_000, lateReversalMs: 5_000, rebootMs: 2_000 };
const terminal = zvtTerminal.create(zvtTerminal.options.parse(options), {
  clock: systemClock(FACTOR, startedAt),
  random,
  changed: () => {},
});
const served = await serveTcp(terminal, { host: "127.0.0.1", port: 0 });
const wire = await cuttableWire(served.port);
const DEVICES = `[devices.terminal]
driver = "zvt"
password = "123456"
t4Ms = 15000
autoReversalMs = 8000
link = { kind = "tcp", host = "127.0.0.1", port = ${wire.port} }`;

interface RunningAgent {
  readonly client: StationClient;
  readonly gone: Promise<void>;
  kill(): void;
}

async function startAgent(point: string): Promise<RunningAgent> {
  const child = node(
    "../test/torture/agent.js",
    [join(folder, "state"), DEVICES, tokenSha256, point, String(FACTOR), String(startedAt)],
    false,
  );
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const client = await connectStation({ url: await firstLine(child), client: { name: "torture", version: "1" }, token, reconnect: false });
  return { client, gone, kill: () => void child.kill("SIGKILL") };
}

const act = async (name: string, params: Record<string, unknown> = {}): Promise<void> => {
  const action = terminal.actions[name];
  if (!action) throw new Error(`the terminal cannot ${name}`);
  await action.act(action.params.parse(params));
};

interface Misfortune {
  readonly name: string;
  readonly point: string;
  /** The terminal forgot, or hides, what happened: only a person can tell. */
  readonly blind?: true;
  strike?(agent: RunningAgent): Promise<void> | void;
}

/** Faults after which link and terminal are as good as before; the others are states of their own and are drawn with the steps. */
const PASSING: readonly FaultName[] = FAULT_NAMES.filter(
  (name) => !["nak", "bad-crc", "ack-not-seen", "ack-not-sent", "disconnect", "reboot", "half-open"].includes(name),
);

function misfortune(run: number): Misfortune {
  switch (run % 6) {
    case 0:
    case 1: {
      const point = `${pick(["before", "after"])} ${pick(MARKS)}`;
      return { name: `killed ${point}`, point };
    }
    case 2: {
      const step = pick(STEP_NAMES);
      const host = pick(["approved", "declined"] as const);
      const autoReversal = pick(["succeeds", "late", "fails"] as const);
      return {
        name: `wire ends, ${host}, taking back ${autoReversal}`,
        point: "never",
        strike: () => act("disconnectAt", { step, host, autoReversal, how: "close" }),
      };
    }
    case 3: {
      const history = random.fraction() < 0.7 ? "kept" : "lost";
      return {
        name: `terminal restarts, history ${history}`,
        point: "never",
        ...(history === "lost" ? { blind: true as const } : {}),
        strike: () => act("inject", { fault: "reboot", step: pick(STEP_NAMES), history }),
      };
    }
    case 4: {
      const fault = pick(PASSING);
      return { name: `fault ${fault}`, point: "never", strike: () => act("inject", { fault }) };
    }
    default: {
      const bytes = 1 + Math.floor(random.fraction() * 60);
      return {
        name: "killed at a byte",
        point: "never",
        strike: (agent) =>
          wire.cutAfter(bytes, () => {
            agent.kill();
            wire.join();
          }),
      };
    }
  }
}

const pay = (client: StationClient, idempotencyKey: string, amountVnd: number): Promise<PaymentJob> =>
  client.call("paymentTerminal.pay", { amountVnd, reference: "TORTURE", idempotencyKey, timeoutMs: 120_000 });

/** Asks until the payment has ended, however often the answer is "not yet". Undefined: there is none. */
async function endOf(client: StationClient, idempotencyKey: string): Promise<PaymentJob | undefined> {
  for (let attempt = 0; attempt < 1_200; attempt++) {
    const job = await client.call("jobs.get", { idempotencyKey }).catch((error: { kind?: string }) => {
      if (error.kind === "job_not_found") return undefined;
      throw error;
    });
    if (job === undefined) return undefined;
    if (job.kind === "payment" && job.final) return job;
    await realClock.sleep(25);
  }
  throw new Error(`payment ${idempotencyKey} did not end`);
}

const NEXT_VND = 1_000;
{
  // Without a last receipt on the terminal nobody could prove that nothing was charged.
  const first = await startAgent("never");
  await pay(first.client, randomUUID(), NEXT_VND);
  first.kill();
  await first.gone;
  first.client.close();
}

interface Row {
  runs: number;
  readonly ended: Record<string, number>;
}
const table: Record<string, Row> = {};
const wrong: string[] = [];
let reviewed = 0;
let reviewedWithEvidence = 0;

for (let run = 0; run < runs; run++) {
  const { name, point, blind, strike } = misfortune(run);
  const key = randomUUID();
  // Each attempt is known in the ledger by its amount.
  const amountVnd = 10_000 + run;
  let agent = await startAgent(point);
  await strike?.(agent);
  await Promise.race([pay(agent.client, key, amountVnd).catch(() => undefined), agent.gone]);
  if (random.fraction() < 0.5) agent.kill();
  else if (point === "never" && !name.startsWith("killed")) await endOf(agent.client, key).catch(() => undefined);
  agent.kill();
  await agent.gone;
  agent.client.close();
  wire.join();
  await act("clearFaults");
  await act("plug");

  agent = await startAgent("never");
  const job = await endOf(agent.client, key);
  // The same key never charges again, and whoever comes next can pay.
  if (job) await pay(agent.client, key, amountVnd);
  const next = await pay(agent.client, randomUUID(), NEXT_VND);
  if (next.state !== "approved") wrong.push(`run ${run} (${name}): the next payment ended ${next.state}`);
  agent.kill();
  await agent.gone;
  agent.client.close();

  const state = job?.state ?? "not_started";
  const entries = terminal.ledger().filter((entry) => entry.amountVnd === amountVnd);
  const charges = entries.filter(({ kind, hostApproved }) => kind === "sale" && hostApproved).length;
  const net = entries.reduce((sum, entry) => sum + entry.net, 0);
  const seen = `run ${run} (${name}): said ${state}, charged ${charges} times, net ${net}`;
  if (charges > 1) wrong.push(`${seen}: charged twice`);
  if (state === "approved" && net !== amountVnd) wrong.push(`${seen}: approved without a charge`);
  if (net !== 0 && !["approved", "manual_review"].includes(state)) wrong.push(`${seen}: a charge was forgotten`);
  if (state === "manual_review") {
    reviewed++;
    if (!blind && !name.startsWith("fault")) {
      reviewedWithEvidence++;
      process.stdout.write(`${seen}: ${job?.reason?.message ?? ""}\n`);
    }
  }
  table[name] ??= { runs: 0, ended: {} };
  const row = table[name] as Row;
  row.runs++;
  row.ended[state] = (row.ended[state] ?? 0) + 1;
}

for (const [name, { runs: times, ended }] of Object.entries(table).sort()) {
  const states = Object.entries(ended)
    .sort()
    .map(([state, count]) => `${state} ${count}`);
  process.stdout.write(`${name.padEnd(44)}${String(times).padStart(5)}  ${states.join(", ")}\n`);
}
for (const line of wrong) process.stdout.write(`WRONG ${line}\n`);
process.stdout.write(
  `\npayments ${runs} · wrong ${wrong.length} · manual review ${reviewed}, of these with evidence and link back ${reviewedWithEvidence} · seed ${seed}\n`,
);
await wire.close();
await served.close();
await terminal.close();
rmSync(folder, { recursive: true, force: true });
if (wrong.length > 0) process.exitCode = 1;
