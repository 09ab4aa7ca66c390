import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { firstLine } from "../../bench/process.js";
import { systemClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import type { PaymentJob } from "../../src/protocol/payment-terminal.js";
import { faultRow } from "../support/fault.js";
import { type Agent, missingPiece, openTill, type Till } from "./rig.js";
import { strace, systemCalls } from "./trace.js";

const COMPILER = "cc";
const SHIM = resolve("test/durability/failing-fsync.c");
const missingTracer = missingPiece(["strace", "-o", "/dev/null", "true"], [COMPILER, "--version"]);
const missingDisk = missingPiece(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], ["nsenter", "--version"]);
/** Of one payment in a journal that was put away: the header of the WAL and six marks; up to 13 with the next payment. */
const FSYNCS = Number(process.env.STATIOND_FAILING_FSYNCS ?? 7);
const FULL_DISKS = Number(process.env.STATIOND_FULL_DISKS ?? 8);
/** A round takes one to four seconds on a machine that has nothing else to do. */
const PATIENCE_MS = 20_000;
const clock = systemClock();

let folder: string;
let till: Till | undefined;
let holder: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stationd-disk-"));
});
afterEach(async () => {
  await till?.close();
  till = undefined;
  if (holder) {
    const gone = holder.exitCode === null && holder.signalCode === null ? once(holder, "exit") : undefined;
    holder.stdin?.end();
    await gone;
    holder = undefined;
  }
  rmSync(folder, { recursive: true, force: true });
});

interface Attempt {
  readonly key: string;
  readonly amountVnd: number;
  /** The kind of the refusal, or undefined where it was answered. */
  readonly refused: string | undefined;
}

interface Tried extends Attempt {
  readonly ended: PaymentJob | undefined;
}

const GOOD_REASONS = ["journal_unavailable", "payment_unresolved", undefined];

/** One payment on a failing disk: it is answered, or refused because of the journal, or the agent no longer waits for it. */
async function attempt(agent: Agent, amountVnd: number): Promise<Attempt> {
  const key = randomUUID();
  const refused = await agent.pay(amountVnd, key).then(
    () => undefined,
    (error: { kind?: string }) => error.kind ?? `${error}`,
  );
  return { key, amountVnd, refused };
}

const name = `an fsync that fails, at each of the first ${FSYNCS}: no second COMMIT, and nothing is lost or doubled`;
faultRow({
  device: "agent",
  fault: "The disk fails to write (fsync)",
  sees: "`journal_unavailable`, or nothing",
  does: "tries no failed commit again: opens the journal anew and looks what is there",
  back: "at once",
});
test(name, { timeout: FSYNCS * PATIENCE_MS }, async (context) => {
  if (missingTracer) return context.skip(missingTracer);
  const shim = join(folder, "failing-fsync.so");
  expect(spawnSync(COMPILER, ["-shared", "-fPIC", "-O1", "-o", shim, SHIM, "-ldl"]).stderr.toString()).toBe("");
  till = await openTill(join(folder, "first"));
  for (let n = 1; n <= FSYNCS; n++) {
    const state = join(folder, `state-${n}`);
    cpSync(join(folder, "first"), state, { recursive: true });
    const log = join(folder, `log-${n}`);
    const keep = n % 3 === 0 ? ["-E", "KEEP_WRITES=1"] : [];
    const under = [...strace(log, "-e", "trace=openat,write,pwrite64"), "-E", `LD_PRELOAD=${shim}`, "-E", `FAIL_FSYNC=${n}`, ...keep];
    const agent = await till.start(state, { under });
    const tries: Tried[] = [];
    // Two, because the later fsyncs are of the second.
    for (const amountVnd of [1_000 + n, 3_000 + n]) {
      const tried = await attempt(agent, amountVnd);
      expect(GOOD_REASONS).toContain(tried.refused);
      const ended = await agent.endOf(tried.key);
      expect(till.contradiction(ended, amountVnd)).toBeUndefined();
      tries.push({ ...tried, ended });
    }
    // In the same process, by a journal that was opened anew.
    expect((await agent.pay(2_000 + n)).state).toBe("approved");
    await agent.kill();

    const wal = join(state, "journal.sqlite-wal");
    const calls = systemCalls(log);
    const failure = calls.find(({ name, data }) => name === "write" && data.toString() === "EIO");
    expect(failure, `the fsync ${n} of the journal`).toBeDefined();
    // A connection that is closed puts away what was committed before, and may fsync for that; it writes no commit.
    const next = calls.find(({ name, on, from }) => on === wal && from > (failure?.until ?? 0) && /^(openat|pwrite64)$/.test(name));
    expect(next?.name, `after the failed fsync ${n}`).toBe("openat");

    const again = await till.start(state);
    for (const { key, amountVnd, ended } of tries) {
      const remembered = await again.endOf(key);
      expect(remembered?.state).toBe(ended?.state);
      if (remembered) expect((await again.pay(amountVnd, key)).state).toBe(remembered.state);
      expect(till.contradiction(remembered, amountVnd)).toBeUndefined();
    }
    await again.kill();
  }
});

const full = `a disk that fills up, ${FULL_DISKS} times: nothing is lost or doubled, and with space it goes on`;
faultRow({
  device: "agent",
  fault: "The disk is full",
  sees: "`journal_unavailable` or `payment_unresolved`",
  does: "sells and prints nothing that it could not write down; goes on by itself when there is space",
  back: "space is freed",
});
test(full, { timeout: FULL_DISKS * PATIENCE_MS }, async (context) => {
  if (missingDisk) return context.skip(missingDisk);
  const random = seededRandom(20_261_123);
  till = await openTill(join(folder, "first"));
  const disk = join(folder, "disk");
  mkdirSync(disk);
  // A mount of its own, which ends with its holder; room for the longest WAL (1,000 pages) and what it is brought into.
  const script = 'mount -t tmpfs -o size=8m tmpfs "$1" && echo mounted && exec cat';
  holder = spawn("unshare", ["-m", "sh", "-c", script, "sh", disk], { stdio: ["pipe", "pipe", "inherit"] });
  expect(await firstLine(holder)).toBe("mounted");
  const inside = `/proc/${holder.pid}/root${disk}`;
  const ballast = join(inside, "ballast");
  const under = ["nsenter", "-t", `${holder.pid}`, "-m", "--"];

  let agent = await till.start(disk, { under });
  const attempts: Attempt[] = [];
  for (let n = 0; n < FULL_DISKS; n++) {
    const paying = attempt(agent, 1_000 + n);
    await clock.sleep(Math.floor(random.fraction() * 250));
    fill(ballast, Math.floor(random.fraction() * 40_000));
    attempts.push(await Promise.race([paying, freed(ballast, 400, paying)]));
    // While it is full, or freed just now, another one comes.
    attempts.push(await attempt(agent, 5_000 + n));
    rmSync(ballast, { force: true });
    for (const { key, amountVnd } of attempts.slice(-2)) expect(till.contradiction(await agent.endOf(key), amountVnd)).toBeUndefined();
    expect((await agent.pay(10_000 + n)).state).toBe("approved");
    if (n % 4 === 3) {
      await agent.kill();
      agent = await till.start(disk, { under });
    }
  }
  expect(new Set(attempts.map(({ refused }) => refused))).toContain("journal_unavailable");
  for (const { refused } of attempts) expect(GOOD_REASONS).toContain(refused);
  await agent.kill();
  const again = await till.start(disk, { under });
  for (const { key, amountVnd } of attempts) expect(till.contradiction(await again.endOf(key), amountVnd)).toBeUndefined();
});

/** Takes all the space there is, but for so many bytes. */
function fill(file: string, leave: number): void {
  const handle = openSync(file, "w");
  let size = 0;
  try {
    for (;;) size += writeSync(handle, Buffer.alloc(4_096));
  } catch {
    // Full.
  } finally {
    closeSync(handle);
  }
  truncateSync(file, Math.max(0, size - leave));
}

/** What has been armed waits for the disk: after this time it gets its space. */
async function freed<T>(file: string, afterMs: number, waiting: Promise<T>): Promise<T> {
  await clock.sleep(afterMs);
  rmSync(file, { force: true });
  return await waiting;
}
