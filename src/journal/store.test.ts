import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { journalFile } from "./folder.js";
import { aJob } from "./job.test.fixture.js";
import type { Reply, Request } from "./requests.js";
import { type Database, loadOpenDatabase, type OpenDatabase } from "./sqlite.js";
import { openStore, type Store } from "./store.js";
import type { JobOutcome, JobRecord } from "./types.js";

const openDatabase = await loadOpenDatabase();
const PRINTED: JobOutcome = { state: "printed", final: true, confirmation: "confirmed" };
const UNKNOWN: JobOutcome = { state: "unknown", final: false };

let folder: string;
let copies = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stationd-store-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function storeOf(place = join(folder, "0"), open: OpenDatabase = openDatabase): Store {
  return openStore(place, open);
}

/** The files as a power cut leaves them; the connection that wrote them plays no part any more. */
function crashed(place = join(folder, "0")): string {
  const copy = join(folder, `copy-${copies++}`);
  cpSync(place, copy, { recursive: true });
  return copy;
}

/** One page after the other in the main file, nothing in the WAL. */
function settledFile(): string {
  const store = storeOf();
  store.run(Array.from({ length: 200 }, (_, n) => begin(`${n}`)));
  const copy = crashed();
  storeOf(copy).run([everything]);
  return crashed(copy);
}

function values(replies: readonly Reply[]): unknown[] {
  return replies.map((reply) => ("error" in reply ? reply.error.kind : reply.value));
}

const begin = (id: string, createdAt = 1): Request => ({ op: "begin", record: { ...aJob(id), createdAt, updatedAt: createdAt } });
const end = (id: string, outcome: JobOutcome, updatedAt = 2): Request => ({
  op: "advance",
  id,
  patch: { step: "ended", outcome, updatedAt },
});
const everything: Request = { op: "list", filter: { limit: 1_000 } };

function ids(store: Store, filter: Extract<Request, { op: "list" }>["filter"] = { limit: 1_000 }): string[] {
  const [list] = values(store.run([{ op: "list", filter }]));
  return (list as JobRecord[]).map(({ id }) => id);
}

describe("the store", () => {
  test("answers each request of a batch by itself", () => {
    const store = storeOf();
    expect(
      values(
        store.run([
          begin("1"),
          begin("1"),
          end("none", PRINTED),
          { ...begin("1"), record: { ...aJob("1"), idempotencyKey: "other" } } as Request,
        ]),
      ),
    ).toEqual([{ existing: undefined }, { existing: aJob("1") }, "job_not_found", "internal"]);
    expect(ids(store)).toEqual(["1"]);
  });

  test("keeps every step in the job's history", () => {
    const store = storeOf();
    store.run([begin("1"), { op: "advance", id: "1", patch: { step: "sending", updatedAt: 5 } }, end("1", PRINTED, 9)]);
    const database = openDatabase(journalFile(crashed()), 0);
    const history = database.prepare("SELECT at, step, outcome FROM history ORDER BY rowid").all();
    database.close();
    expect(history.map((row) => ({ ...row }))).toEqual([
      { at: 1, step: "queued", outcome: null },
      { at: 5, step: "sending", outcome: null },
      { at: 9, step: "ended", outcome: JSON.stringify(PRINTED) },
    ]);
  });

  test("lists the newest first, filtered", () => {
    const store = storeOf();
    store.run([begin("1", 10), begin("2", 30), begin("3", 20), end("1", PRINTED), end("2", UNKNOWN)]);
    expect(ids(store)).toEqual(["2", "3", "1"]);
    expect(ids(store, { open: true, limit: 9 })).toEqual(["2", "3"]);
    expect(ids(store, { open: false, limit: 9 })).toEqual(["1"]);
    expect(ids(store, { device: "receipt", principal: "origin:https://kiosk.example", limit: 1 })).toEqual(["2"]);
    expect(ids(store, { device: "another", limit: 9 })).toEqual([]);
  });

  test("prunes ended jobs with their history and keeps every open one, however old", () => {
    const store = storeOf();
    store.run([
      begin("open"),
      begin("unknown"),
      begin("old"),
      begin("young"),
      end("unknown", UNKNOWN, 5),
      end("old", PRINTED, 5),
      end("young", PRINTED, 50),
    ]);
    expect(values(store.run([{ op: "prune", before: { print: 50, payment: 0 } }]))).toEqual([1]);
    expect(ids(store).sort()).toEqual(["open", "unknown", "young"]);
    const database = openDatabase(journalFile(crashed()), 0);
    expect(database.prepare("SELECT count(*) AS left FROM history WHERE job = 'old'").get()).toMatchObject({ left: 0 });
    database.close();
  });

  test("opens with WAL and a full fsync at every commit", () => {
    const pragmas: string[] = [];
    const spying: OpenDatabase = (file, busyMs) => {
      const database = openDatabase(file, busyMs);
      return {
        ...passing(database),
        exec(sql) {
          database.exec(sql);
          if (sql === "COMMIT") {
            for (const name of ["journal_mode", "synchronous", "locking_mode", "foreign_keys"]) {
              pragmas.push(`${name}=${Object.values(database.prepare(`PRAGMA ${name}`).get() as object)[0]}`);
            }
          }
        },
      };
    };
    storeOf(undefined, spying).run([begin("1")]);
    expect(pragmas).toEqual(["journal_mode=wal", "synchronous=2", "locking_mode=exclusive", "foreign_keys=1"]);
  });
});

describe("like a map", () => {
  const key = fc.integer({ min: 0, max: 5 });
  const step = fc.oneof(
    fc.record({ do: fc.constant("begin" as const), id: fc.integer({ min: 0, max: 9 }), key }),
    fc.record({
      do: fc.constant("advance" as const),
      id: fc.integer({ min: 0, max: 9 }),
      outcome: fc.constantFrom(undefined, PRINTED, UNKNOWN),
    }),
    fc.record({ do: fc.constant("prune" as const) }),
    fc.record({ do: fc.constant("reopen" as const) }),
  );

  test("whatever the order of begin, advance, prune and reopening", () => {
    fc.assert(
      fc.property(fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { maxLength: 8 }), (batches) => {
        let place = join(folder, `map-${copies++}`);
        let store = storeOf(place);
        const model = new Map<string, JobRecord>();
        let now = 10;
        for (const batch of batches) {
          const requests: Request[] = [];
          const expected: unknown[] = [];
          for (const action of batch) {
            now++;
            if (action.do === "reopen") {
              // In the middle of a batch this would be another test: it takes effect before it.
              place = crashed(place);
              store = storeOf(place);
            } else if (action.do === "begin") {
              const record = { ...aJob(`${action.id}`), idempotencyKey: `key-${action.key}`, createdAt: now, updatedAt: now };
              requests.push({ op: "begin", record });
              const existing = [...model.values()].find(({ idempotencyKey }) => idempotencyKey === record.idempotencyKey);
              if (existing) expected.push({ existing });
              else if (model.has(record.id)) expected.push("internal");
              else {
                expected.push({ existing: undefined });
                model.set(record.id, record);
              }
            } else if (action.do === "advance") {
              const patch = { step: `step_${now}`, updatedAt: now, ...(action.outcome ? { outcome: action.outcome } : {}) };
              requests.push({ op: "advance", id: `${action.id}`, patch });
              const standing = model.get(`${action.id}`);
              expected.push(standing ? undefined : "job_not_found");
              if (standing) model.set(standing.id, { ...standing, ...patch });
            } else {
              requests.push({ op: "prune", before: { print: now, payment: 0 } });
              const gone = [...model.values()].filter(({ outcome }) => outcome?.final === true);
              for (const { id } of gone) model.delete(id);
              expected.push(gone.length);
            }
          }
          expect(values(store.run(requests))).toEqual(expected);
        }
        const newestFirst = [...model.values()].sort((a, b) => b.createdAt - a.createdAt);
        expect(values(store.run([everything]))).toEqual([newestFirst]);
      }),
      { numRuns: 25 },
    );
  });
});

describe("a failing disk", () => {
  test("a COMMIT that failed is not tried again, and a new opening reads what is there", () => {
    const events: string[] = [];
    const flaky: OpenDatabase = (file, busyMs) => {
      const database = openDatabase(file, busyMs);
      return {
        ...passing(database),
        exec(sql) {
          if (sql.startsWith("BEGIN") && !sql.includes("user_version")) events.push("BEGIN");
          if (sql === "COMMIT") {
            events.push("COMMIT");
            if (events.length === 4) throw Object.assign(new Error("disk I/O error"), { errcode: 10 });
          }
          database.exec(sql);
        },
      };
    };
    const store = storeOf(undefined, flaky);
    store.run([begin("1")]);
    expect(() => store.run([begin("2"), begin("3")])).toThrow(expect.objectContaining({ kind: "journal_unavailable" }));
    expect(events).toEqual(["BEGIN", "COMMIT", "BEGIN", "COMMIT"]);
    expect(ids(storeOf(crashed()))).toEqual(["1"]);
  });

  test.each<[string, (file: string) => void]>([
    ["overwritten", (file) => writeFileSync(file, Buffer.alloc(16_384, "no database "))],
    ["cut to a page and a half", (file) => truncateSync(file, 6_000)],
    [
      "with torn pages",
      (file) => {
        const bytes = readFileSync(file);
        bytes.fill(0xa5, 4_096, 12_288);
        writeFileSync(file, bytes);
      },
    ],
  ])("a file %s is refused with a hint and left as it is", (_how, damage) => {
    const place = settledFile();
    damage(journalFile(place));
    const before = readFileSync(journalFile(place));
    expect(() => storeOf(place)).toThrow(
      expect.objectContaining({ kind: "journal_unavailable", hint: expect.stringContaining("damaged") }),
    );
    expect(readFileSync(journalFile(place)).equals(before)).toBe(true);
  });

  test("a store of a newer version is refused", () => {
    const database = openDatabase(journalFile(folder), 0);
    database.exec("PRAGMA user_version = 99");
    database.close();
    expect(() => storeOf(folder)).toThrow(expect.objectContaining({ kind: "journal_unavailable", hint: expect.stringContaining("newer") }));
  });

  test("after a power cut that drops or tears the last writes, every commit that was fsynced is there", () => {
    const store = storeOf();
    const wal = `${journalFile(join(folder, "0"))}-wal`;
    const committedAt: { id: string; walBytes: number }[] = [];
    for (let n = 0; n < 12; n++) {
      store.run([begin(`${n}`)]);
      committedAt.push({ id: `${n}`, walBytes: statSync(wal).size });
    }
    const written = readFileSync(wal);
    const cuts = [0, 31, 32, 33, ...committedAt.flatMap(({ walBytes }) => [walBytes - 4_096, walBytes - 1, walBytes])];
    for (const torn of [false, true]) {
      for (const cut of cuts) {
        const place = crashed();
        // Dropped: the file ends there. Torn: the file has its length, but the blocks never reached the disk.
        const left = torn ? Buffer.concat([written.subarray(0, cut), Buffer.alloc(written.length - cut)]) : written.subarray(0, cut);
        writeFileSync(`${journalFile(place)}-wal`, left);
        const found = new Set(ids(storeOf(place)));
        const promised = committedAt.filter(({ walBytes }) => walBytes <= cut).map(({ id }) => id);
        expect(promised.filter((id) => !found.has(id))).toEqual([]);
      }
    }
  });
});

function passing(database: Database): Database {
  return { exec: (sql) => database.exec(sql), prepare: (sql) => database.prepare(sql), close: () => database.close() };
}
