import { randomUUID } from "node:crypto";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Database, loadOpenDatabase } from "../../src/journal/sqlite.js";
import { openStore } from "../../src/journal/store.js";
import type { JobRecord } from "../../src/journal/types.js";
import { type Random, seededRandom } from "../../src/kernel/random.js";
import { faultRow } from "../support/fault.js";
import { apply, type Change, type CrashWindow, crashWindows, type Files, filesOf, writeFiles } from "./disk-image.js";
import { missingPiece, openTill, type Till } from "./rig.js";
import { strace, systemCalls } from "./trace.js";

const missing = missingPiece(["strace", "-o", "/dev/null", "true"]);
/** Disorders tried in each window, besides every prefix. */
const DISORDERS = Number(process.env.STATIOND_POWER_CUTS ?? 6);
const SECTOR = 512;
const STEPS = ["created", "armed", "sent", "held", "answering", "ended"] as const;
const openDatabase = await loadOpenDatabase();
let folder: string;
let till: Till | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stationd-power-"));
});
afterEach(async () => {
  await till?.close();
  till = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const name = "after a power cut at any fsync, with later writes dropped, torn or out of order, every acknowledged mark is there";
test(name, { timeout: 60_000 + 10_000 * DISORDERS }, async (context) => {
  if (missing) return context.skip(missing);
  till = await openTill(join(folder, "first"));
  // A payment before, and a WAL that nobody put away: the opening has something to bring in, too.
  const state = join(folder, "state");
  const before = await till.start(state);
  const earlier = await before.pay(10_000);
  await before.kill();
  const base = filesOf(state);
  const log = join(folder, "log");
  const agent = await till.start(state, { under: strace(log) });
  const { job, state: end } = await agent.pay(20_000);
  await agent.stop();
  expect(end).toBe("approved");

  const calls = systemCalls(log);
  const windows = crashWindows(state, base, calls);
  expect(windows.length).toBeGreaterThan(STEPS.length);
  // What the trace rebuilds is what is there.
  const last = windows.at(-1) as CrashWindow;
  expect(apply(last.certain, last.possible)).toEqual(filesOf(state));
  /** Where the fsync that made each mark durable was over. */
  const durableAt = STEPS.map((step) => {
    // A row of the history: job, time (6 bytes), step.
    const row = new RegExp(`${job}[^]{6}${step}`);
    const written = calls.find(({ name, data }) => name === "pwrite64" && row.test(data.toString("latin1")));
    const synced = calls.find(({ name, on, from }) => /sync$/.test(name) && on.endsWith("-wal") && from > (written?.until ?? Number.NaN));
    return synced?.until ?? Number.NaN;
  });
  expect(durableAt.slice(1).every((at, index) => at > (durableAt[index] ?? Number.NaN))).toBe(true);

  const random = seededRandom(20_261_123);
  const found = new Set<string>();
  for (const { certain, possible, since } of windows) {
    const acknowledged = durableAt.filter((at) => at <= since).length;
    for (const [how, changes] of survivals(possible, random)) {
      const records = recover(apply(certain, changes));
      const record = records.find(({ id }) => id === job);
      const seen = `line ${since}, ${how}: ${record?.step ?? "none"}`;
      const reached = (STEPS as readonly (string | undefined)[]).indexOf(record?.step) + 1;
      // Never behind what was acknowledged, and at most the one mark ahead that was being written.
      expect(reached, seen).toBeGreaterThanOrEqual(acknowledged);
      expect(reached, seen).toBeLessThanOrEqual(acknowledged + 1);
      const { baseline, facts, day } = record?.evidence ?? {};
      expect([baseline !== undefined, day !== undefined, facts !== undefined], seen).toEqual([reached >= 2, reached >= 2, reached >= 4]);
      expect(record?.outcome?.state, seen).toBe(reached === 6 ? "approved" : undefined);
      expect(records.find(({ id }) => id === earlier.job)?.outcome?.state, seen).toBe("approved");
      found.add(record?.step ?? "none");
    }
  }
  expect([...found].sort()).toEqual(["none", ...STEPS].sort());
});

faultRow({
  device: "agent",
  fault: "The power fails in mid-payment",
  sees: "what the terminal's ledger says: `approved` or `not_charged`",
  does: "wrote each mark to the disk before the bytes that depend on it",
  back: "the machine is up",
});
test.for([
  ["after armed", "not_charged"],
  ["after held", "not_charged"],
  ["after answering", "not_charged"],
  ["before ended", "approved"],
] as const)(
  "a power cut %s that drops what was not fsynced ends as the terminal's ledger says: %s",
  { timeout: 60_000 },
  async ([point, end], context) => {
    if (missing) return context.skip(missing);
    till = await openTill(join(folder, "first"));
    const state = join(folder, "state");
    cpSync(join(folder, "first"), state, { recursive: true });
    const log = join(folder, "log");
    const base = filesOf(state);
    const dying = await till.start(state, { under: strace(log), point });
    const key = randomUUID();
    await Promise.race([dying.pay(20_000, key).catch(() => {}), dying.gone]);
    await dying.kill();

    const { certain } = crashWindows(state, base, systemCalls(log)).at(-1) as CrashWindow;
    const left = join(folder, "left");
    writeFiles(left, certain);
    const agent = await till.start(left);
    const job = await agent.endOf(key);
    expect(till.contradiction(job, 20_000)).toBeUndefined();
    expect(job?.state).toBe(end);
    expect((await agent.pay(20_000, key)).state).toBe(end);
    expect((await agent.pay(30_000)).state).toBe("approved");
  },
);

/** What of the writes that no fsync has confirmed may be on the disk. */
function* survivals(possible: readonly Change[], random: Random): Generator<readonly [how: string, changes: readonly Change[]]> {
  for (let whole = 0; whole <= possible.length; whole++) {
    yield [`${whole} of ${possible.length}`, possible.slice(0, whole)];
    const next = possible[whole];
    if (next?.what === "write") yield [`${whole} and half of one`, [...possible.slice(0, whole), torn(next, next.data.length / 2 + 7)]];
  }
  if (possible.length > 1) yield ["all but the first", possible.slice(1)];
  for (let n = 0; possible.length > 0 && n < DISORDERS; n++) {
    yield [
      `disorder ${n}`,
      possible.flatMap((change) => (change.what === "write" ? sectors(change, random) : random.fraction() < 0.5 ? [change] : [])),
    ];
  }
}

function torn(change: Change, length: number): Change {
  return { ...change, data: change.data.subarray(0, Math.floor(length)) };
}

/** Some sectors of a write, and of one of them only a part. */
function sectors({ data, ...change }: Change, random: Random): Change[] {
  const parts: Change[] = [];
  for (let at = 0; at < data.length; at += SECTOR) {
    if (random.fraction() < 0.5) continue;
    const length = random.fraction() < 0.1 ? Math.floor(random.fraction() * SECTOR) : SECTOR;
    parts.push({ ...change, offset: change.offset + at, data: data.subarray(at, at + length) });
  }
  return parts;
}

/** Opens as the agent does, with its check of the whole file. */
function recover(files: Files): readonly JobRecord[] {
  const place = join(folder, "left");
  writeFiles(place, files);
  const opened: Database[] = [];
  try {
    const store = openStore(place, (file, busyMs) => {
      const database = openDatabase(file, busyMs);
      opened.push(database);
      return database;
    });
    const [reply] = store.run([{ op: "list", filter: { limit: 100 } }]);
    return (reply as { value: readonly JobRecord[] }).value;
  } finally {
    for (const database of opened) database.close();
    rmSync(place, { recursive: true });
  }
}
