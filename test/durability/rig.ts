import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { firstLine } from "../../bench/process.js";
import { serveTcp } from "../../simulators/serve.js";
import { type ZvtTerminal, zvtTerminal } from "../../simulators/zvt-terminal/index.js";
import { connectStation, type StationClient } from "../../src/client/node.js";
import { systemClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import type { PaymentJob } from "../../src/protocol/payment-terminal.js";

/** Agent and terminal live ten times as fast, by one clock. Not faster: the deadlines of a connection hurry, too. */
const FACTOR = 10;
/** How often a connection that a slow machine lost is made again. */
const TRIES = 5;
const AGENT = fileURLToPath(new URL("../torture/agent.js", import.meta.url));
const TERMINAL = { presentMs: 200, hostMs: 200, removeMs: 100, autoReversalMs: 1_000, rebootMs: 2_000 };

/** Why these tests cannot run here, or undefined. With STATIOND_REAL_STACK=required a missing piece is a failure. */
export function missingPiece(...commands: readonly (readonly [program: string, ...args: string[]])[]): string | undefined {
  const missing = commands.find(([program, ...args]) => spawnSync(program, args).status !== 0)?.[0];
  if (missing === undefined) return undefined;
  const reason = `${missing} is not installed or may not be used here`;
  if (process.env.STATIOND_REAL_STACK === "required") throw new RangeError(`STATIOND_REAL_STACK=required, but ${reason}`);
  console.warn(`SKIPPED: proofs of durability, because ${reason}`);
  return reason;
}

export interface Till {
  readonly terminal: ZvtTerminal;
  readonly port: number;
  /** The real agent in a process of its own, in front of this terminal. `under`: what runs it, e.g. `["strace", …]`. */
  start(stateDir: string, wish?: { readonly under?: readonly string[]; readonly point?: string }): Promise<Agent>;
  /** What is wrong with what the agent says of this payment, by the terminal's ledger; undefined: nothing. Each has an amount of its own. */
  contradiction(job: PaymentJob | undefined, amountVnd: number): string | undefined;
  close(): Promise<void>;
}

export interface Agent {
  readonly gone: Promise<void>;
  pay(amountVnd: number, idempotencyKey?: string): Promise<PaymentJob>;
  /** Asks until the payment has ended. Undefined: there is none. */
  endOf(idempotencyKey: string): Promise<PaymentJob | undefined>;
  /** As a power cut, but for what the kernel still holds. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** A terminal with one sale behind it: without a last receipt nobody could prove that nothing was charged. */
export async function openTill(firstState: string): Promise<Till> {
  const startedAt = Date.now();
  const clock = systemClock(FACTOR, startedAt);
  const random = seededRandom(20_261_123);
  const terminal = zvtTerminal.create(zvtTerminal.options.parse(TERMINAL), { clock, random, changed: () => {} });
  const served = await serveTcp(terminal, { host: "127.0.0.1", port: 0 });
  const token = randomUUID();
  const devices = `[devices.terminal]
driver = "zvt"
password = "123456"
t4Ms = 15000
autoReversalMs = 8000
link = { kind = "tcp", host = "127.0.0.1", port = ${served.port} }`;
  const running = new Set<Agent>();

  const till: Till = {
    terminal,
    port: served.port,
    async start(stateDir, { under = [], point = "never" } = {}) {
      const tokenSha256 = createHash("sha256").update(token).digest("hex");
      const command = [...under, process.execPath, AGENT, stateDir, devices, tokenSha256, point, `${FACTOR}`, `${startedAt}`];
      const child = spawn(command[0] as string, command.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
      const gone = once(child, "exit").then(() => {});
      const url = await firstLine(child);
      const pid = nodeBelow(child);
      let client: StationClient | undefined;
      /** Asked again on a new connection, with the same key, as a page would. */
      const call = async <T>(ask: (client: StationClient) => Promise<T>): Promise<T> => {
        for (let tries = 1; ; tries++) {
          try {
            client ??= await connectStation({ url, client: { name: "till", version: "1" }, token, reconnect: false });
            return await ask(client);
          } catch (error) {
            const lost = (error as { kind?: string }).kind === "connection_lost";
            if (!lost || tries === TRIES || child.exitCode !== null || child.signalCode !== null) throw error;
            client?.close();
            client = undefined;
          }
        }
      };
      const leave = async (): Promise<void> => {
        await gone;
        client?.close();
        running.delete(agent);
      };
      const agent: Agent = {
        gone,
        pay: (amountVnd, idempotencyKey = randomUUID()) => {
          const request = { amountVnd, reference: "PROOF", idempotencyKey, timeoutMs: 600_000 };
          return call((client) => client.call("paymentTerminal.pay", request));
        },
        endOf: (idempotencyKey) => call((client) => endOf(client, idempotencyKey)),
        async kill() {
          try {
            if (child.exitCode === null && child.signalCode === null) process.kill(pid, "SIGKILL");
          } catch {
            // Dead already; what it ran under is about to notice.
          }
          await leave();
        },
        async stop() {
          child.stdin.end();
          await leave();
        },
      };
      running.add(agent);
      return agent;
    },
    contradiction(job, amountVnd) {
      const state = job?.state ?? "not_started";
      const entries = terminal.ledger().filter((entry) => entry.amountVnd === amountVnd);
      const charges = entries.filter(({ kind, hostApproved }) => kind === "sale" && hostApproved).length;
      const net = entries.reduce((sum, entry) => sum + entry.net, 0);
      const seen = `${amountVnd} VND: said ${state}, charged ${charges} times, net ${net}`;
      if (charges > 1) return `${seen}: charged twice`;
      if (state === "approved" && net !== amountVnd) return `${seen}: approved without a charge`;
      if (net !== 0 && state !== "approved") return `${seen}: a charge was forgotten`;
      return undefined;
    },
    async close() {
      for (const agent of [...running]) await agent.kill();
      await served.close();
      await terminal.close();
    },
  };
  const first = await till.start(firstState);
  await first.pay(1);
  await first.stop();
  return till;
}

/** The process itself, or the one that it started: a tracer's first child is what it traces. */
function nodeBelow(child: ChildProcess): number {
  let pid = child.pid ?? 0;
  while (!readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith(process.execPath)) {
    const [below] = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter(Boolean);
    if (below === undefined) throw new RangeError("the agent is not below its tracer");
    pid = Number(below);
  }
  return pid;
}

async function endOf(client: StationClient, idempotencyKey: string): Promise<PaymentJob | undefined> {
  const clock = systemClock();
  for (let attempt = 0; attempt < 800; attempt++) {
    const job = await client.call("jobs.get", { idempotencyKey }).catch((error: { kind?: string }) => {
      if (error.kind === "job_not_found") return undefined;
      // A journal that is being opened anew is asked again.
      if (error.kind === "journal_unavailable") return "later" as const;
      throw error;
    });
    if (job === undefined) return undefined;
    if (job !== "later" && job.kind === "payment" && job.final) return job;
    await clock.sleep(25);
  }
  throw new RangeError(`payment ${idempotencyKey} did not end`);
}
