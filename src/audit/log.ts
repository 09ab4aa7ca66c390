import {
  close,
  closeSync,
  constants,
  fchownSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import { type AuditFact, encodeEntry, hashOf, NOTHING, parseEntry, segmentName, segmentsAmong, type Writer } from "./entry.js";

/** What technicians and the agent did, one line each, never changed afterwards. */
export interface AuditLog {
  /** Written before this returns, so that a crash does not lose it. The entry's number; undefined where it cannot be written: never throws. */
  record(fact: AuditFact): number | undefined;
  /** On the disk, and closed. */
  close(): Promise<void>;
}

export interface AuditOptions {
  readonly folder: string;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Logger;
  /** A file that has grown over this is followed by a new one. */
  readonly segmentBytes?: number;
}

const SEGMENT_BYTES = 4 * 1024 * 1024;
const SEGMENTS = 32;
/** As long as payments. */
const KEEP_MS = 400 * 24 * 3_600_000;

interface Segment {
  readonly fd: number;
  size: number;
}

/** Where the chain stands. */
interface Tip {
  readonly n: number;
  readonly prev: string;
  readonly month: string;
}

const sync = promisify(fdatasync);
const shut = promisify(close);
const monthOf = (ms: number): string => new Date(ms).toISOString().slice(0, 7);

/** Opened at the first entry: a state folder that cannot be written keeps no agent from starting. */
export function openAudit({ folder, writer, clock, log, segmentBytes = SEGMENT_BYTES }: AuditOptions): AuditLog {
  let segment: Segment | undefined;
  let tip: Tip = { n: 0, prev: NOTHING, month: "" };
  let later: Promise<unknown> = Promise.resolve();
  let syncDue = false;
  let closed = false;

  /** What may wait is done one after the other: nothing is synced after it was closed. */
  const afterwards = (work: () => Promise<unknown>): void => {
    later = later.then(work).catch((thrown) => log.error("the audit log cannot be brought to the disk", {}, thrown));
  };
  const syncSoon = (fd: number): void => {
    if (syncDue) return;
    syncDue = true;
    afterwards(() => {
      syncDue = false;
      return sync(fd);
    });
  };
  const leave = ({ fd }: Segment): void => {
    segment = undefined;
    afterwards(() => sync(fd).finally(() => shut(fd)));
  };
  const next = (number: number): Segment => {
    prune();
    return create(folder, segmentName(writer, number));
  };
  const prune = (): void => {
    const files = segmentsAmong(readdirSync(folder), writer);
    files.forEach(({ name }, index) => {
      const path = join(folder, name);
      // The newest stays whatever its age: the chain goes on from it.
      const old = index < files.length - 1 && statSync(path).mtimeMs < clock.now() - KEEP_MS;
      if (old || index < files.length - SEGMENTS + 1) unlinkSync(path);
    });
  };
  /** Goes on where an earlier run ended. A last line that was torn by a power cut stays as it is, in a file of its own. */
  const resume = (): Segment => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const files = segmentsAmong(readdirSync(folder), writer);
    for (const { name } of files.toReversed()) {
      const text = readFileSync(join(folder, name), "utf8");
      const last = text
        .slice(0, text.lastIndexOf("\n") + 1)
        .split("\n")
        .at(-2);
      if (last === undefined) continue;
      const entry = parseEntry(last);
      tip = { n: entry?.n ?? 0, prev: hashOf(last), month: entry?.at.slice(0, 7) ?? "" };
      break;
    }
    const newest = files.at(-1);
    if (newest === undefined) return next(1);
    const found = openSync(join(folder, newest.name), constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW);
    const { size, nlink } = fstatSync(found);
    const whole = nlink === 1 && (size === 0 || readFileSync(found).at(-1) === 0x0a);
    if (whole) return { fd: found, size };
    afterwards(() => shut(found));
    return next(newest.number + 1);
  };
  const place = (nowMs: number): Segment => {
    segment ??= resume();
    if (segment.size > 0 && (segment.size >= segmentBytes || tip.month !== monthOf(nowMs))) {
      leave(segment);
      segment = next((segmentsAmong(readdirSync(folder), writer).at(-1)?.number ?? 0) + 1);
    }
    return segment;
  };

  return {
    record(fact) {
      if (closed) return undefined;
      try {
        const at = clock.now();
        const target = place(at);
        const line = encodeEntry(tip.n + 1, at, fact, tip.prev);
        append(target, `${line}\n`);
        tip = { n: tip.n + 1, prev: hashOf(line), month: monthOf(at) };
        syncSoon(target.fd);
        return tip.n;
      } catch (thrown) {
        log.error("the audit log cannot be written", { path: folder, reason: codeOf(thrown) });
        return undefined;
      }
    },
    async close() {
      closed = true;
      if (segment !== undefined) leave(segment);
      await later;
    },
  };
}

/** All of it or nothing: on a full disk no half line is left. */
function append(segment: Segment, line: string): void {
  const bytes = Buffer.from(line);
  try {
    if (writeSync(segment.fd, bytes, 0, bytes.length, segment.size) !== bytes.length) {
      throw new DeviceError("journal_unavailable", { message: "the disk is full", hint: "Free some space" });
    }
    segment.size += bytes.length;
  } catch (thrown) {
    ftruncateSync(segment.fd, segment.size);
    throw thrown;
  }
}

/** A new file, never one that somebody put there. Root's command leaves it to whoever owns the folder: the agent. */
function create(folder: string, name: string): Segment {
  const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants;
  const fd = openSync(join(folder, name), O_WRONLY | O_APPEND | O_CREAT | O_EXCL, 0o600);
  if (process.getuid?.() === 0) {
    const { uid, gid } = statSync(folder);
    fchownSync(fd, uid, gid);
  }
  const directory = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
  return { fd, size: 0 };
}

function codeOf(thrown: unknown): string {
  if (thrown instanceof DeviceError) return thrown.message;
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "internal";
}
