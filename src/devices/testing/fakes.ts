import type { JobRecord, Journal } from "../../journal/types.js";
import { DeviceError } from "../../kernel/errors.js";
import type { Call, Caller, FrameOutlet } from "../../protocol/call.js";
import type { PagePreview } from "../../protocol/document-scanner.js";
import type { Role } from "../../protocol/method.js";

/** A journal in memory that can be made to fail; `log` is what was made durable, in order. */
export interface MemoryJournal extends Journal {
  readonly log: string[];
  readonly records: Map<string, JobRecord>;
  broken: boolean;
}

export function memoryJournal(records = new Map<string, JobRecord>()): MemoryJournal {
  const journal: MemoryJournal = {
    log: [],
    records,
    broken: false,
    begin: (record) =>
      guarded(() => {
        const existing = find(record.principal, record.idempotencyKey);
        if (!existing) {
          records.set(record.id, record);
          journal.log.push(record.step);
        }
        return { existing };
      }),
    advance: (id, patch) =>
      guarded(() => {
        const record = records.get(id);
        if (!record) throw new DeviceError("internal");
        records.set(id, { ...record, ...patch });
        journal.log.push(patch.outcome ? `${patch.step}:${patch.outcome.state}` : String(patch.step));
      }),
    byKey: (principal, key) => guarded(() => find(principal, key)),
    byId: (id) => guarded(() => records.get(id)),
    list: (filter) =>
      guarded(() =>
        [...records.values()].filter(
          (record) =>
            (filter.open !== true || !record.outcome?.final) &&
            (filter.inReview !== true || record.outcome?.state === "manual_review") &&
            (filter.day === undefined || record.evidence.day === filter.day) &&
            (filter.purposeIn === undefined || filter.purposeIn.includes(purposeOf(record) ?? "\0")) &&
            (filter.kind === undefined || record.kind === filter.kind) &&
            (filter.device === undefined || record.device === filter.device) &&
            (filter.principal === undefined || record.principal === filter.principal),
        ),
      ),
    closedDay: (device) =>
      guarded(() => {
        const closed = [...records.values()].filter((record) => record.device === device && record.evidence.dayClosed === true);
        return Math.max(0, ...closed.map(({ evidence }) => Number(evidence.day)));
      }),
    prune: async () => 0,
    close: async () => {},
  };
  const find = (principal: string, key: string): JobRecord | undefined =>
    [...records.values()].find((record) => record.principal === principal && record.idempotencyKey === key);
  async function guarded<T>(work: () => T): Promise<T> {
    if (journal.broken) throw new DeviceError("journal_unavailable");
    return work();
  }
  return journal;
}

function purposeOf({ evidence }: JobRecord): string | undefined {
  return (evidence.baseline as { readonly purpose?: string } | undefined)?.purpose;
}

export function caller(session: string, role: Role = "kiosk", principal = "origin:https://kiosk.test"): Caller {
  return { session, role, principal, client: `client-${session} 1` };
}

export interface FakeOutlet extends FrameOutlet {
  readonly frames: Uint8Array[];
  slow: boolean;
}

export interface FakeCall extends Call {
  readonly stages: string[];
  readonly blobs: Uint8Array[];
  /** Told with stage `page`. */
  readonly pages: PagePreview[];
  readonly streams: FakeOutlet[];
  abort(kind?: "canceled" | "timeout"): void;
  /** The client is gone: what is a job goes on unwatched. */
  leave(): void;
}

export function call(by: Caller = caller("one")): FakeCall {
  const controller = new AbortController();
  const stages: string[] = [];
  const blobs: Uint8Array[] = [];
  const pages: PagePreview[] = [];
  const streams: FakeOutlet[] = [];
  let gone = false;
  return {
    caller: by,
    pages,
    streams,
    signal: controller.signal,
    stages,
    blobs,
    progress: (stage, _fraction, _message, page) => {
      stages.push(stage);
      if (page) pages.push(page);
    },
    check: () => {
      if (gone) throw new DeviceError("canceled");
    },
    leave: () => {
      gone = true;
    },
    blob: async (mediaType, bytes) => {
      blobs.push(bytes);
      return { channel: blobs.length, mediaType, byteLength: bytes.length, sha256: "" };
    },
    stream: () => {
      const ended = new AbortController();
      const frames: Uint8Array[] = [];
      const outlet: FakeOutlet = {
        channel: streams.length + 1,
        closed: ended.signal,
        frames,
        slow: false,
        send: (picture) => {
          if (ended.signal.aborted || outlet.slow) return false;
          frames.push(picture);
          return true;
        },
        close: () => ended.abort(),
      };
      streams.push(outlet);
      return outlet;
    },
    abort: (kind = "canceled") => controller.abort(new DeviceError(kind)),
  };
}
