import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { faultRow } from "../../test/support/fault.js";
import type { Json } from "../kernel/errors.js";
import { aJob } from "./job.test.fixture.js";
import { openJournal } from "./open.js";
import type { Journal } from "./types.js";

let folder: string;
let open: Journal[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stationd-journal-"));
  open = [];
});
afterEach(async () => {
  for (const journal of open) await journal.close();
  rmSync(folder, { recursive: true, force: true });
});

function journalOf(...args: Parameters<typeof openJournal>): Journal {
  const journal = openJournal(...args);
  open.push(journal);
  return journal;
}

describe("the journal", () => {
  test("touches nothing before the first call, nor when closed unused", async () => {
    const journal = journalOf(join(folder, "state"), () => {
      throw new Error("no thread yet");
    });
    await journal.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("hands back what was begun with the same principal and key, also after opening anew", async () => {
    const first = journalOf(folder);
    const record = aJob("1");
    expect(await first.begin(record)).toEqual({ existing: undefined });
    await first.advance(record.id, { step: "sending", evidence: { cuts: 17 }, updatedAt: 2 });
    await first.close();

    const second = journalOf(folder);
    const standing = { ...record, step: "sending", evidence: { cuts: 17 }, updatedAt: 2 };
    expect(await second.begin({ ...aJob("2"), idempotencyKey: record.idempotencyKey })).toEqual({ existing: standing });
    expect(await second.begin({ ...aJob("3"), principal: "another", idempotencyKey: record.idempotencyKey })).toEqual({
      existing: undefined,
    });
    expect(await second.byKey(record.principal, record.idempotencyKey)).toEqual(standing);
    expect(await second.byKey(record.principal, "never-used")).toBeUndefined();
  });

  test("of a hundred begins of one key at once, one is first", async () => {
    const journal = journalOf(folder);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => journal.begin({ ...aJob(`${n}`), idempotencyKey: "the-one-key" })),
    );
    expect(answers.filter(({ existing }) => existing === undefined)).toHaveLength(1);
    expect(new Set(answers.map(({ existing }) => existing?.id ?? "0"))).toEqual(new Set(["0"]));
  });

  test("is for its owner alone", async () => {
    const state = join(folder, "deep", "state");
    const journal = journalOf(state);
    await journal.begin(aJob("1"));
    expect(statSync(state).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(state)) expect([name, statSync(join(state, name)).mode & 0o777]).toEqual([name, 0o600]);
    await journal.close();
    chmodSync(join(state, "journal.sqlite"), 0o644);
    await journalOf(state).list({ limit: 1 });
    expect(statSync(join(state, "journal.sqlite")).mode & 0o777).toBe(0o600);
  });

  faultRow({
    device: "agent",
    fault: "Two agents with one state folder",
    sees: "`journal_unavailable` from the second",
    does: "lets one of them write",
    back: "the first one is gone",
  });
  test("refuses a second owner of the folder and serves it once the first is gone", async () => {
    const first = journalOf(folder);
    await first.begin(aJob("1"));
    const second = journalOf(folder);
    await expect(second.begin(aJob("2"))).rejects.toMatchObject({
      kind: "journal_unavailable",
      hint: expect.stringContaining("Another agent"),
    });
    await first.begin(aJob("3"));
    await first.close();
    expect(await second.list({ limit: 9 })).toHaveLength(2);
  });

  test("refuses what a dead thread was doing and starts another", async () => {
    let started = 0;
    const journal = journalOf(folder, (state) => {
      started++;
      if (started > 1) return new Worker(new URL("./worker.js", import.meta.url), { workerData: { folder: state } });
      return new Worker('require("node:worker_threads").parentPort.once("message", () => process.exit(1))', { eval: true });
    });
    const underWay = journal.begin(aJob("1"));
    const next = journal.begin(aJob("2"));
    await expect(underWay).rejects.toMatchObject({ kind: "journal_unavailable" });
    await next;
    expect(started).toBe(2);
    expect((await journal.list({ limit: 9 })).map(({ id }) => id)).toEqual(["2"]);
  });

  test("finishes what was asked before it closes, and refuses afterwards", async () => {
    const journal = journalOf(folder);
    const begun = Promise.all([journal.begin(aJob("1")), journal.begin(aJob("2"))]);
    await journal.close();
    await begun;
    await expect(journal.begin(aJob("3"))).rejects.toMatchObject({ kind: "journal_unavailable" });
    expect(await journalOf(folder).list({ limit: 9 })).toHaveLength(2);
  });

  test("commits together what is asked while a commit runs", async () => {
    const batches: number[] = [];
    const journal = journalOf(folder, (state) => {
      const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: { folder: state } });
      const post = worker.postMessage.bind(worker);
      worker.postMessage = (message) => {
        if (message.batch) batches.push(message.batch.length);
        post(message);
      };
      return worker;
    });
    await Promise.all(Array.from({ length: 50 }, (_, n) => journal.begin(aJob(`${n}`))));
    expect(batches).toEqual([1, 49]);
  });
});

describe("a citizen's words", () => {
  const words = "Nguyễn Thị Hồng, thửa đất số 12";
  const record = aJob("1");

  test.each<[string, () => Promise<unknown>]>([
    ["evidence", () => openJournal(folder).begin({ ...record, evidence: { line: words } })],
    ["deep evidence", () => openJournal(folder).begin({ ...record, evidence: { a: { b: [1, words] } } })],
    ["a name of evidence", () => openJournal(folder).begin({ ...record, evidence: { [words]: 1 } })],
    [
      "much evidence",
      () => openJournal(folder).begin({ ...record, evidence: { list: Array.from({ length: 500 }, () => "abcdefgh") as Json } }),
    ],
    ["the id", () => openJournal(folder).begin({ ...record, id: words })],
    ["the key", () => openJournal(folder).begin({ ...record, idempotencyKey: words })],
    ["the step", () => openJournal(folder).begin({ ...record, step: words })],
    ["a later step", () => openJournal(folder).advance(record.id, { step: words, updatedAt: 1 })],
    ["later evidence", () => openJournal(folder).advance(record.id, { evidence: { words }, updatedAt: 1 })],
    ["the outcome", () => openJournal(folder).advance(record.id, { outcome: { state: words, final: true }, updatedAt: 1 })],
  ])("cannot be put into %s", async (_field, attempt) => {
    await expect(attempt()).rejects.toMatchObject({ kind: "internal", message: expect.stringContaining("no free text") });
    expect(existsSync(join(folder, "journal.sqlite"))).toBe(false);
  });

  test("in an error's message and details do not reach the disk", async () => {
    const journal = journalOf(folder);
    await journal.begin(record);
    const reason = { kind: "paper_out", message: `cannot print ${words}`, hint: words, retryable: true, details: { words } } as const;
    await journal.advance(record.id, { outcome: { state: "failed", final: true, reason }, updatedAt: 2 });
    expect((await journal.byKey(record.principal, record.idempotencyKey))?.outcome?.reason).toEqual({
      kind: "paper_out",
      message: "paper out",
      hint: "Load paper and close the cover",
      retryable: true,
    });
    for (const name of readdirSync(folder)) expect(readFileSync(join(folder, name)).includes(Buffer.from("Nguyễn"))).toBe(false);
  });
});
