import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ManualClock, manualClock } from "../kernel/clock.js";
import { silentLog } from "../kernel/log.js";
import { type AuditFact, encodeEntry, NOTHING, segmentName } from "./entry.js";
import { type AuditLog, type AuditOptions, openAudit } from "./log.js";
import { readAudit } from "./read.js";

let folder: string;
let clock: ManualClock;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stationd-audit-"));
  clock = manualClock(Date.UTC(2026, 10, 23, 12));
});
afterEach(() => rmSync(folder, { recursive: true }));

const FIRST = segmentName("agent", 1);
const fact = (change: Partial<AuditFact> = {}): AuditFact => ({ who: "token:anna", what: "agent.maintenance", outcome: "ok", ...change });
const open = (options: Partial<AuditOptions> = {}): AuditLog => openAudit({ folder, writer: "agent", clock, log: silentLog, ...options });
const files = (): string[] => readdirSync(folder).sort();
const problems = async (): Promise<string[]> =>
  (await readAudit(folder)).chains.flatMap((chain) => chain.problems.map(({ problem }) => problem));
async function written(count: number, options: Partial<AuditOptions> = {}): Promise<void> {
  const log = open(options);
  for (let index = 0; index < count; index++) log.record(fact({ job: `job-${index}` }));
  await log.close();
}

describe("entries", () => {
  test("are there before record returns: a crash of the process loses none", async () => {
    const log = open();
    expect(log.record(fact({ detail: "on", uid: 1000 }))).toBe(1);
    expect(log.record(fact({ detail: "off" }))).toBe(2);
    // Neither synced nor closed.
    const { entries } = await readAudit(folder);
    expect(entries).toMatchObject([{ n: 1, who: "token:anna", uid: 1000, detail: "on", at: "2026-11-23T12:00:00.000Z" }, { n: 2 }]);
    await log.close();
    expect(log.record(fact())).toBeUndefined();
  });

  test("are for the agent's eyes only, and go on where an earlier run ended", async () => {
    await written(2);
    expect(statSync(join(folder, FIRST)).mode & 0o777).toBe(0o600);
    await written(2);
    expect(files()).toEqual([FIRST]);
    expect((await readAudit(folder)).chains).toMatchObject([{ writer: "agent", first: 1, last: 4, problems: [] }]);
  });

  test("hold names and nothing else, whatever is put into their fields", async () => {
    const log = open();
    log.record(fact({ who: 'token:a"\n{"n":9}', job: "Nguyễn Văn A ".repeat(40), detail: "\u001b[2J" }));
    await log.close();
    expect(readFileSync(join(folder, FIRST), "utf8").split("\n")).toHaveLength(2);
    const { entries } = await readAudit(folder);
    expect(entries).toHaveLength(1);
    expect(entries[0]?.job).toMatch(/^[\w]{64}$/);
    expect(entries[0]?.detail).not.toContain("\u001b");
  });

  test("of a folder that cannot be written are missing, and nobody falls over it", async () => {
    writeFileSync(join(folder, "file"), "");
    const log = open({ folder: join(folder, "file") });
    expect(log.record(fact())).toBeUndefined();
    await log.close();
  });

  test("of the two writers lie in the order of their times", async () => {
    const [agent, command] = [open(), open({ writer: "command" })];
    agent.record(fact({ detail: "a" }));
    await clock.advance(1_000);
    command.record(fact({ detail: "b" }));
    await clock.advance(1_000);
    agent.record(fact({ detail: "c" }));
    await Promise.all([agent.close(), command.close()]);
    const audit = await readAudit(folder, Date.UTC(2026, 10, 23, 12, 0, 1));
    expect(audit.entries.map(({ detail }) => detail)).toEqual(["b", "c"]);
    expect(audit.chains.map(({ writer, last }) => [writer, last])).toEqual([
      ["agent", 2],
      ["command", 1],
    ]);
  });
});

describe("files", () => {
  test("are followed by another when they are large, and in a new month, in one chain", async () => {
    await written(6, { segmentBytes: 300 });
    expect(files()).toHaveLength(3);
    await clock.advance(9 * 24 * 3_600_000);
    await written(1);
    expect(files()).toHaveLength(4);
    expect((await readAudit(folder)).chains).toMatchObject([{ first: 1, last: 7, problems: [] }]);
  });

  test("are removed when their time is over, or when there are too many; what is left is whole", async () => {
    await written(8, { segmentBytes: 1 });
    expect(files()).toHaveLength(8);
    const old = new Date(clock.now() - 500 * 24 * 3_600_000);
    for (const name of files().slice(0, 3)) utimesSync(join(folder, name), old, old);
    await written(1, { segmentBytes: 1 });
    expect(files()).toHaveLength(6);
    expect((await readAudit(folder)).chains).toMatchObject([{ first: 4, last: 9, problems: [] }]);
    await written(40, { segmentBytes: 1 });
    expect(files()).toHaveLength(32);
    expect((await readAudit(folder)).chains).toMatchObject([{ first: 18, last: 49, problems: [] }]);
  });

  test("whose last line was torn by a power cut stay as they are, and the chain goes on in a new one", async () => {
    await written(2);
    appendFileSync(join(folder, FIRST), '{"n":3,"at":"2026');
    const before = readFileSync(join(folder, FIRST), "utf8");
    await written(1);
    expect(readFileSync(join(folder, FIRST), "utf8")).toBe(before);
    expect((await readAudit(folder)).chains).toMatchObject([{ first: 1, last: 3, problems: [] }]);
  });

  test("that somebody else linked there are not written to", async () => {
    const target = join(folder, "elsewhere");
    writeFileSync(target, "");
    await import("node:fs/promises").then(({ symlink }) => symlink(target, join(folder, FIRST)));
    await written(1);
    expect(readFileSync(target, "utf8")).toBe("");
  });
});

describe("verification", () => {
  const path = (): string => join(folder, FIRST);
  const lines = (): string[] => readFileSync(path(), "utf8").split("\n").slice(0, -1);
  const rewrite = (changed: readonly string[]): void => writeFileSync(path(), changed.map((line) => `${line}\n`).join(""));

  test.each<[string, (lines: string[]) => string[]]>([
    ["a word that was changed", (all) => all.map((line, index) => (index === 1 ? line.replace("anna", "bert") : line))],
    ["a line that was cut out", (all) => all.filter((_, index) => index !== 2)],
    ["the first line that was cut out, with its number", (all) => [all[0]?.replace('"n":1', '"n":2') ?? "", ...all.slice(2)]],
    ["a line that was put in", (all) => [...all.slice(0, 2), encodeEntry(3, 0, fact(), NOTHING), ...all.slice(2)]],
    ["two lines that changed places", ([first = "", second = "", ...rest]) => [second, first, ...rest]],
    ["a line that is none", (all) => [...all.slice(0, 2), "{}", ...all.slice(2)]],
    ["a line that is far too long", (all) => [...all, "x".repeat(2_000_000)]],
  ])("finds %s", async (_what, change) => {
    await written(5);
    expect(await problems()).toEqual([]);
    rewrite(change(lines()));
    expect(await problems()).not.toEqual([]);
  });

  test("finds a file that is missing in the middle", async () => {
    await written(3, { segmentBytes: 1 });
    rmSync(join(folder, segmentName("agent", 2)));
    expect(await problems()).toEqual(["entry 3 follows entry 1"]);
  });

  test("knows an end that was cut off, and a log that was written anew as a whole, by a hash that was kept elsewhere", async () => {
    await written(3);
    const head = (await readAudit(folder)).chains[0]?.head ?? "";
    await written(2);
    expect((await readAudit(folder)).has(head)).toBe(true);
    const [first = ""] = lines();
    truncateSync(path(), first.length + 1);
    const cut = await readAudit(folder);
    expect([cut.chains[0]?.problems, cut.has(head)]).toEqual([[], false]);
  });
});
