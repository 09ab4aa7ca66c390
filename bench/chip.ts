import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChipCard, chipCard } from "../simulators/chip-card/index.js";
import { connectTcp, serveTcp } from "../simulators/serve.js";
import { connectStation, type StationClient } from "../src/client/node.js";
import { systemClock } from "../src/kernel/clock.js";
import { type Random, seededRandom } from "../src/kernel/random.js";
import type { ParamsInput } from "../src/protocol/methods.js";
import { openPcscd, realPcscStack } from "../test/real-stack/pcscd.js";
import { tapCard, unframe } from "./chip-tap.js";
import { replayRaw } from "./pcsc-replay.js";
import { benchAgent, childrenOf, cpuTicks, ended, median, node } from "./process.js";
import { atMost, type BenchResult, type BenchRow, ratioAtMost } from "./report.js";

const RUNS = 7;
/** A usual reader and chip: 424 kbit/s, and a little latency for each APDU. */
const NFC = { kbps: 424, latencyMs: 3 } as const;

/** Randomness of the chip that can be turned back: the same chip then answers the same APDUs with the same bytes again. */
interface Rewound extends Random {
  rewind(): void;
}

function rewound(seed: number): Rewound {
  let current = seededRandom(seed);
  return {
    bytes: (length) => current.bytes(length),
    fraction: () => current.fraction(),
    rewind: () => {
      current = seededRandom(seed);
    },
  };
}

interface Bench {
  readonly client: StationClient;
  readonly card: ChipCard;
  readonly random: Rewound;
  /** Of the agent, and of its children. */
  readonly pid: number;
}

/** A simulated card, and the real command with a reader at this wire. */
async function withReader<T>(
  options: Record<string, unknown>,
  wire: (card: ChipCard) => Promise<{ link: string; env?: Record<string, string>; close(): Promise<void> }>,
  work: (bench: Bench) => Promise<T>,
): Promise<T> {
  const random = rewound(7);
  const card = chipCard.create(chipCard.options.parse(options), { clock: systemClock(), random, changed: () => {} });
  const trust = mkdtempSync(join(tmpdir(), "stationd-bench-trust-"));
  for (const [name, bytes] of card.trustFiles?.() ?? []) writeFileSync(join(trust, name), bytes);
  const { link, close } = await wire(card);
  const agent = await benchAgent(`[devices.id-reader]\ndriver = "pcsc"\nlink = ${link}`, `trustDir = "${trust}"`, "technician");
  const server = node("../bundle/stationd.js", agent.args, false);
  try {
    const client = await connectStation({ url: agent.url, client: { name: "bench", version: "1" }, token: agent.token });
    while ((await client.call("devices.get", { device: "id-reader" })).state !== "ready") {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const result = await work({ client, card, random, pid: server.pid ?? 0 });
    client.close();
    return result;
  } finally {
    server.kill();
    await ended(server);
    await card.close();
    await close();
    agent.remove();
    rmSync(trust, { recursive: true, force: true });
  }
}

/** Over the embedded link; without a tap the wire is as short as it can be. */
const overTcp = async (card: ChipCard): Promise<{ link: string; close(): Promise<void> }> => {
  const { port, close } = await serveTcp(card, { host: "127.0.0.1", port: 0 });
  return { link: `{ kind = "tcp", host = "127.0.0.1", port = ${port} }`, close };
};

const act = async (card: ChipCard, action: string, params: Record<string, unknown> = {}): Promise<void> => {
  const { [action]: known } = card.actions;
  if (!known) throw new Error(`the simulator cannot ${action}`);
  await known.act(known.params.parse(params));
};

/** Of the second read: the first one of a card that is not known yet also finds out how much it takes at once. */
async function countApdus(options: Record<string, unknown>, access: "can" | "mrz", protocol: "auto" | "bac" = "auto"): Promise<number> {
  return await withReader({ ...options, inserted: true }, overTcp, async ({ client, card }) => {
    const holder = card.holder();
    const key = access === "can" ? { can: holder.idNumber.slice(-6) } : { mrz: holder.mrzKey };
    await client.call("chipReader.readCard", { access: key, protocol });
    const { apdus, verdicts } = await client.call("chipReader.readCard", { access: key, protocol });
    if (verdicts.signature !== "valid" || verdicts.hashes !== "match") throw new Error("the card was not read whole");
    return apdus;
  });
}

interface Timing {
  readonly totalMs: number;
  readonly chipMs: number;
  readonly replayMs: number;
  readonly insertedMs: number;
  readonly removedMs: number;
  readonly cpuMs: number;
  readonly childrenCpuMs: number;
}

/** Reads the same card again and again, each time beside the same APDUs sent raw. `replay` is run with the card freshly laid on. */
async function compare(
  bench: Bench,
  replay: (commands: readonly Uint8Array[]) => Promise<number>,
  record: () => () => Uint8Array[],
): Promise<Timing> {
  const { client, card, random, pid } = bench;
  const request: ParamsInput<"chipReader.readCard"> = { access: { can: card.holder().idNumber.slice(-6) } };
  const turns = await turning(client);
  const lay = async (): Promise<number> => {
    random.rewind();
    const turned = turns.next(true);
    const started = performance.now();
    await act(card, "insert");
    return (await turned) - started;
  };
  const lift = async (): Promise<number> => {
    const turned = turns.next(false);
    const started = performance.now();
    await act(card, "lift");
    return (await turned) - started;
  };
  const samples: Timing[] = [];
  for (let run = -1; run < RUNS; run++) {
    // Cards come at any moment, not just after a look: pcscd looks at virtual readers every 400 ms.
    await new Promise((resolve) => setTimeout(resolve, ((run + 1) * 400) / (RUNS + 1)));
    const insertedMs = await lay();
    const ticks = cpuTicks(pid);
    const children = childTicks(pid);
    const recorded = record();
    const started = performance.now();
    const { durationMs, verdicts } = await client.call("chipReader.readCard", request);
    const totalMs = performance.now() - started;
    if (verdicts.chip !== "genuine") throw new Error(`the chip was read as ${verdicts.chip}`);
    const cpuMs = (cpuTicks(pid) - ticks) * 10;
    const childrenCpuMs = (childTicks(pid) - children) * 10;
    const commands = recorded();
    const removedMs = await lift();
    await lay();
    const replayMs = await replay(commands);
    await lift();
    if (run >= 0) samples.push({ totalMs, chipMs: durationMs, replayMs, insertedMs, removedMs, cpuMs, childrenCpuMs });
  }
  turns.stop();
  const keys = Object.keys(samples[0] ?? {}) as (keyof Timing)[];
  return Object.fromEntries(keys.map((key) => [key, middle(key, samples)])) as unknown as Timing;
}

/** Processor time comes in ticks of 10 ms: its mean says more than its median. */
function middle(key: keyof Timing, samples: readonly Timing[]): number {
  const values = samples.map((sample) => sample[key]);
  return key.toLowerCase().includes("cpu") ? values.reduce((sum, value) => sum + value, 0) / values.length : median(values);
}

const childTicks = (pid: number): number => childrenOf(pid).reduce((sum, child) => sum + cpuTicks(child), 0);

/** When the page hears that a card came or went. */
async function turning(client: StationClient): Promise<{ next(present: boolean): Promise<number>; stop(): void }> {
  const leave = new AbortController();
  const waiting = new Map<boolean, (at: number) => void>();
  await client.subscribe(
    ["chipReader"],
    (update) => {
      if (update.kind === "event") waiting.get(update.data.present)?.(performance.now());
    },
    { signal: leave.signal },
  );
  return { next: (present) => new Promise((resolve) => waiting.set(present, resolve)), stop: () => leave.abort() };
}

async function embedded(timing: Record<string, number>): Promise<Timing> {
  let tap: Awaited<ReturnType<typeof tapCard>> | undefined;
  return await withReader(
    timing,
    async (card) => {
      const served = await serveTcp(card, { host: "127.0.0.1", port: 0 });
      const opened = await tapCard(served.port);
      tap = opened;
      return {
        link: `{ kind = "tcp", host = "127.0.0.1", port = ${opened.port} }`,
        close: async () => {
          await opened.close();
          await served.close();
        },
      };
    },
    (bench) => {
      if (!tap) throw new Error("no tap");
      return compare(bench, tap.replay, tap.record);
    },
  );
}

async function throughPcscd(timing: Record<string, number>): Promise<Timing | undefined> {
  if (!(await realPcscStack())) return undefined;
  await using rig = await openPcscd({ pollAsShipped: true });
  const [reader] = rig.readers;
  const sent: Uint8Array[] = [];
  return await withReader(
    timing,
    async (card) => {
      const connected = connectTcp(tapped(card, sent), { host: "127.0.0.1", port: rig.ports[0] });
      return { link: `{ kind = "pcsc", reader = "${reader}" }`, close: () => connected.close() };
    },
    (bench) =>
      compare(
        bench,
        (commands) => replayRaw(reader, commands),
        () => {
          sent.length = 0;
          return () => [...sent];
        },
      ),
  );
}

/** The same card, which remembers the APDUs that reach it. */
function tapped(card: ChipCard, sent: Uint8Array[]): ChipCard {
  return {
    ...card,
    attach(farEnd) {
      const note = unframe((frame) => frame.length > 1 && sent.push(frame));
      card.attach({
        ...farEnd,
        async read(signal) {
          const bytes = await farEnd.read(signal);
          note(Buffer.from(bytes));
          return bytes;
        },
      });
    },
  };
}

/**
 * Reading SOD, DG1, DG2, DG13 and DG14 with chip authentication, from the page's call to its answer, against the same APDUs sent raw to
 * the same chip over the same link; and how many APDUs that are.
 */
export async function chip(): Promise<BenchResult> {
  const apdus = {
    pace: await countApdus({ chipAuthentication: "none" }, "can"),
    paceCa: await countApdus({}, "can"),
    bac: await countApdus({ profile: "bac-only", chipAuthentication: "none" }, "mrz"),
    bacAsked: await countApdus({ profile: "bac-only", chipAuthentication: "none" }, "mrz", "bac"),
    shortPaceCa: await countApdus({ extendedLength: false, imageBytes: 15_000 }, "can"),
  };
  const air = await embedded(NFC);
  const service = await throughPcscd(NFC);
  const instant = await embedded({});
  const read = (what: string, { totalMs, replayMs }: Timing, most?: number): BenchRow => ({
    what,
    unit: "ms",
    ours: totalMs,
    floor: { value: replayMs, is: "the same APDUs raw over the same link" },
    ...(most === undefined ? {} : { target: ratioAtMost(most) }),
  });
  const { paceCa, shortPaceCa } = apdus;
  return {
    name: "chip",
    rows: [
      read("SOD, DG1, 2, 13, 14 and chip authentication at 424 kbit/s, embedded", air, 1.3),
      ...(service ? [read("the same through pcscd and vpcd", service, 1.5)] : []),
      read("a chip that answers at once", instant),
      { what: "processor of the agent for a read", unit: "ms", ours: air.cpuMs },
      ...(service
        ? [
            {
              what: "card laid until the page has the event, pcscd as shipped",
              unit: "ms",
              ours: service.insertedMs,
              target: atMost(300),
            } as const,
          ]
        : []),
      { what: "round trips with PACE and chip authentication", unit: "APDUs", ours: paceCa },
      { what: "the same on short length", unit: "APDUs", ours: shortPaceCa },
    ],
    beside: { apdus, embedded: air, ...(service ? { pcsc: service } : {}), instant },
  };
}
