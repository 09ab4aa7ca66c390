import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { journalFile } from "./folder.js";
import { aJob } from "./job.test.fixture.js";
import { SCHEMA_VERSION } from "./schema.js";
import { type Database, loadOpenDatabase, type OpenDatabase } from "./sqlite.js";
import { openStore, type Store } from "./store.js";
import type { JobRecord, ListFilter } from "./types.js";

const openDatabase = await loadOpenDatabase();
let folder: string;
let places = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stationd-payments-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const storeOf = (place = `${places++}`, open: OpenDatabase = openDatabase): Store => openStore(join(folder, place), open);

interface Payment {
  readonly device?: string;
  readonly at?: number;
  readonly state?: string;
  readonly final?: boolean;
  readonly evidence?: JobRecord["evidence"];
}

function aPayment(id: string, { device = "terminal", at = 1, state, final = true, evidence = {} }: Payment = {}): JobRecord {
  const outcome = state === undefined ? undefined : { state, final };
  return { ...aJob(id), kind: "payment", device, outcome, evidence, createdAt: at, updatedAt: at };
}

function fill(store: Store, ...records: readonly JobRecord[]): void {
  store.run(records.map((record) => ({ op: "begin", record })));
}

/** `before`: payments older than this go. */
function pruned(store: Store, before: number): string[] {
  store.run([{ op: "prune", before: { print: 0, payment: before } }]);
  return ids(store, { limit: 1_000 }).sort();
}

function ids(store: Store, filter: ListFilter): string[] {
  return recordsOf(store, { op: "list", filter }).map(({ id }) => id);
}

function recordsOf(store: Store, request: Parameters<Store["run"]>[0][number]): readonly JobRecord[] {
  const [reply] = store.run([request]);
  return (reply as { value: readonly JobRecord[] }).value;
}

function closedDay(store: Store, device = "terminal"): unknown {
  const [reply] = store.run([{ op: "closedDay", device }]);
  return (reply as { value: unknown }).value;
}

describe("what is forgotten", () => {
  test("each kind has its own time", () => {
    const store = storeOf();
    fill(store, aPayment("day", { at: 100, state: "approved", evidence: { day: 1 } }), aPayment("old", { state: "approved" }), {
      ...aJob("print"),
      outcome: { state: "printed", final: true },
    });
    store.run([{ op: "prune", before: { print: 50, payment: 1 } }]);
    expect(ids(store, { limit: 9 }).sort()).toEqual(["day", "old"]);
    expect(pruned(store, 50)).toEqual(["day"]);
  });

  test("never a payment that is open or under review, until a technician has settled it and its time is over", () => {
    const store = storeOf();
    fill(
      store,
      aPayment("open"),
      aPayment("reversing", { state: "reversing", final: false }),
      aPayment("review", { state: "manual_review" }),
      aPayment("settled", { state: "not_charged" }),
    );
    expect(pruned(store, 1_000)).toEqual(["open", "reversing", "review"]);
    const outcome = { state: "approved", final: true } as const;
    store.run([{ op: "advance", id: "review", patch: { step: "ended", outcome, updatedAt: 2_000 } }]);
    expect(pruned(store, 2_000)).toEqual(["open", "reversing", "review"]);
    expect(pruned(store, 2_001)).toEqual(["open", "reversing"]);
  });

  test("a payment and its reversals stay together", () => {
    const store = storeOf();
    fill(
      store,
      aPayment("a", { state: "reversed", evidence: { reversal: "a2" } }),
      aPayment("a1", { state: "declined", evidence: { reverses: "a" } }),
      aPayment("a2", { at: 10, state: "reversed", evidence: { reverses: "a" } }),
      aPayment("b", { at: 10, state: "approved" }),
      aPayment("b1", { state: "declined", evidence: { reverses: "b" } }),
      aPayment("c", { state: "manual_review", evidence: { reversal: "c1" } }),
      aPayment("c1", { state: "not_charged", evidence: { reverses: "c" } }),
    );
    expect(pruned(store, 10)).toEqual(["a", "a1", "a2", "b", "b1", "c", "c1"]);
    expect(pruned(store, 11)).toEqual(["c", "c1"]);
  });

  test("the number of the business day stays, and that it has ended", () => {
    const store = storeOf();
    fill(
      store,
      aPayment("1", { state: "approved", evidence: { day: 1, dayClosed: true } }),
      aPayment("2", { at: 2, state: "approved", evidence: { day: 7, dayClosed: true } }),
      aPayment("3", { at: 3, state: "approved", evidence: { day: 8 } }),
      aPayment("other", { device: "vietqr", state: "approved", evidence: { day: 2, dayClosed: true } }),
    );
    expect([closedDay(store), closedDay(store, "vietqr"), closedDay(store, "none")]).toEqual([7, 2, 0]);
    expect(ids(store, { device: "terminal", day: 8, limit: 9 })).toEqual(["3"]);
    expect(pruned(store, 1_000)).toEqual(["2", "other"]);
    expect([closedDay(store), closedDay(store, "vietqr")]).toEqual([7, 2]);
  });

  const entry = fc.record({
    at: fc.integer({ min: 1, max: 20 }),
    state: fc.constantFrom(undefined, "approved", "declined", "manual_review", "reversing"),
    day: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    dayClosed: fc.boolean(),
    device: fc.constantFrom("terminal", "vietqr"),
    reverses: fc.option(fc.nat({ max: 11 }), { nil: undefined }),
  });
  test("as told in one sentence, whatever the payments", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 12 }), fc.integer({ min: 1, max: 21 }), (entries, before) => {
        // A day ends once.
        const isFirstOfItsDay = (n: number): boolean =>
          entries.findIndex(({ device, day, dayClosed }) => dayClosed && device === entries[n]?.device && day === entries[n]?.day) === n;
        const records = entries.map(({ at, state, day, dayClosed, device, reverses }, n) => {
          const target = reverses === undefined ? undefined : entries[reverses];
          const evidence = {
            ...(day === undefined ? {} : { day }),
            ...(day !== undefined && dayClosed && isFirstOfItsDay(n) ? { dayClosed } : {}),
            ...(target && reverses !== n && target.reverses === undefined ? { reverses: `${reverses}` } : {}),
          };
          return aPayment(`${n}`, { at, device, evidence, ...(state ? { state, final: state !== "reversing" } : {}) });
        });
        const store = storeOf();
        fill(store, ...records);
        const isMark = ({ device, evidence }: JobRecord): boolean =>
          evidence.dayClosed === true && evidence.day === closedDay(store, device);
        const stays = (record: JobRecord): boolean =>
          !record.outcome?.final || record.outcome.state === "manual_review" || record.updatedAt >= before || isMark(record);
        const family = (record: JobRecord): unknown => record.evidence.reverses ?? record.id;
        const left = records.filter((record) => records.some((kin) => family(kin) === family(record) && stays(kin)));
        expect(pruned(store, before)).toEqual(left.map(({ id }) => id).sort());
      }),
      { numRuns: 60 },
    );
  });
});

describe("what is asked of a year of payments", () => {
  test("is found by its name, by what is open, and by what is under review", () => {
    const store = storeOf();
    fill(store, aJob("print"), aPayment("open", { at: 2 }), aPayment("review", { at: 3, state: "manual_review" }));
    expect(store.run([{ op: "byId", id: "open" }])).toEqual([{ value: aPayment("open", { at: 2 }) }]);
    expect(store.run([{ op: "byId", id: "none" }])).toEqual([{ value: undefined }]);
    expect(ids(store, { kind: "payment", limit: 9 })).toEqual(["review", "open"]);
    expect(ids(store, { kind: "payment", open: true, limit: 9 })).toEqual(["open"]);
    expect(ids(store, { inReview: true, limit: 9 })).toEqual(["review"]);
  });

  test("is found by the purpose that a text names, and by nothing else in it", () => {
    const store = storeOf();
    const named = (id: string, purpose: string, device = "vietqr") => aPayment(id, { device, evidence: { baseline: { purpose } } });
    fill(store, named("a", "DCS1"), named("b", "DCS2"), named("c", "DCS3"), named("d", "DCS1", "other"), aPayment("e"), aJob("print"));
    const asked = (purposeIn: string) => ids(store, { kind: "payment", device: "vietqr", purposeIn, limit: 9 });
    expect(asked("MBDCS2CTDCS1")).toEqual(["b", "a"]);
    expect([asked("DCS"), asked(""), asked("%_")]).toEqual([[], [], []]);
  });

  test("never by looking at all of them", () => {
    const plans: string[] = [];
    const explaining: OpenDatabase = (file, busyMs) => {
      const database = openDatabase(file, busyMs);
      return {
        exec: (sql) => database.exec(sql),
        close: () => database.close(),
        prepare: (sql) => {
          if (!/^SELECT .* FROM job/.test(sql)) return database.prepare(sql);
          const explain = database.prepare(`EXPLAIN QUERY PLAN ${sql}`);
          return { ...empty, all: (...values) => note(explain.all(...values)), get: (...values) => note(explain.all(...values)) };
        },
      };
    };
    const note = (steps: unknown): [] => {
      plans.push((steps as { detail: string }[]).map(({ detail }) => detail).join("; "));
      return [];
    };
    const store = storeOf(undefined, explaining);
    for (const filter of [
      { open: true },
      { inReview: true },
      { principal: "p" },
      { kind: "payment", device: "d", open: true },
    ] as const satisfies Partial<ListFilter>[]) {
      store.run([{ op: "list", filter: { ...filter, limit: 5 } }]);
    }
    store.run([{ op: "closedDay", device: "d" }]);
    expect(plans).toEqual([
      expect.stringMatching(/^SCAN job USING INDEX job_open$/),
      expect.stringMatching(/^SCAN job USING INDEX payment_in_review$/),
      expect.stringMatching(/^SCAN job USING INDEX job_by_age$/),
      expect.stringMatching(/^SCAN job USING INDEX job_open$/),
      expect.stringMatching(/^SEARCH job USING (COVERING )?INDEX payment_day_closed \(device=\?\)$/),
    ]);
  });

  test("also in a journal of an older version, which is lifted", () => {
    fill(storeOf("old"), aPayment("1", { state: "approved", evidence: { day: 3, dayClosed: true } }));
    cpSync(join(folder, "old"), join(folder, "copy"), { recursive: true });
    const database = openDatabase(journalFile(join(folder, "copy")), 0);
    database.exec("DROP INDEX payment_day_closed; DROP INDEX payment_reversal; DROP INDEX payment_in_review; PRAGMA user_version = 1");
    const lifted = join(folder, "lifted");
    cpSync(join(folder, "copy"), lifted, { recursive: true });
    database.close();
    let version: unknown;
    const spying: OpenDatabase = (file, busyMs) => {
      const opened: Database = openDatabase(file, busyMs);
      return {
        close: () => opened.close(),
        prepare: (sql) => opened.prepare(sql),
        exec: (sql) => {
          opened.exec(sql);
          if (sql.startsWith("BEGIN")) version = opened.prepare("PRAGMA user_version").get();
        },
      };
    };
    expect(closedDay(storeOf("lifted", spying))).toBe(3);
    expect(version).toMatchObject({ user_version: SCHEMA_VERSION });
  });
});

const empty = { run: () => ({ changes: 0, lastInsertRowid: 0 }) };
