import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { aJob } from "../journal/job.test.fixture.js";
import { openJournal } from "../journal/open.js";
import type { JobRecord, Journal } from "../journal/types.js";
import { csvCell } from "./payments-export.js";

const CLI = fileURLToPath(new URL("../cli.js", import.meta.url));
const HEADER =
  "job,device,amount_vnd,reference,state,reverses,created_at,updated_at,receipt_number,trace_number,terminal_id,card_name,card_last_four,approved_at,transfers,ruled_outcome,ruled_evidence,ruled_by";
const facts = {
  receiptNumber: "0008",
  traceNumber: "000123",
  terminalId: "52500001",
  cardName: "NAPAS",
  cardLastFour: "0018",
  approvedAt: "2026-11-23T10:00:00",
  turnover: "SECRET-1",
};
const at = (text: string): { createdAt: number; updatedAt: number } => ({
  createdAt: Date.parse(text),
  updatedAt: Date.parse(text) + 1_500,
});

function payment(id: string, of: Partial<JobRecord>): JobRecord {
  return { ...aJob(id), kind: "payment", device: "terminal", principal: "SECRET-2", idempotencyKey: `SECRET-${id}`, step: "ended", ...of };
}

const PAYMENTS = [
  payment("b", {
    outcome: { state: "approved", final: true },
    evidence: { amountVnd: 120_000, reference: "HS-1", day: 1, baseline: { receiptNumber: "SECRET-3" }, facts },
    ...at("2026-11-23T03:00:00Z"),
  }),
  payment("a", {
    outcome: { state: "not_charged", final: true },
    evidence: { amountVnd: 5_000, reference: "-2+3", facts, ruled: { outcome: "not_charged", evidence: "journal-17", by: "token:ann" } },
    // A quarter past midnight in Vietnam.
    ...at("2026-11-23T17:15:00Z"),
  }),
  payment("c", { step: "armed", evidence: { amountVnd: 7_000, reference: "HS-3", reverses: "b" }, ...at("2026-11-24T17:00:00Z") }),
];
const LINES = [
  "b,terminal,120000,HS-1,approved,,2026-11-23T03:00:00.000Z,2026-11-23T03:00:01.500Z,0008,000123,52500001,NAPAS,0018,2026-11-23T10:00:00,,,,",
  "a,terminal,5000,'-2+3,not_charged,,2026-11-23T17:15:00.000Z,2026-11-23T17:15:01.500Z,,,,,,,,not_charged,journal-17,token:ann",
  "c,terminal,7000,HS-3,unknown,b,2026-11-24T17:00:00.000Z,2026-11-24T17:00:01.500Z,,,,,,,,,,",
];
const csv = (...lines: string[]): string => [HEADER, ...lines].map((line) => `${line}\r\n`).join("");

let folder: string;
let journal: Journal;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "stationd-export-"));
  mkdirSync(join(folder, "tmp"));
  journal = openJournal(join(folder, "live"));
  for (const record of [aJob("print"), ...PAYMENTS]) await journal.begin(record);
});
afterEach(async () => {
  await journal.close();
  rmSync(folder, { recursive: true, force: true });
});

async function exported(...args: string[]): Promise<{ code: number | null; out: string; note: string }> {
  const env = { PATH: process.env.PATH, HOME: folder, TMPDIR: join(folder, "tmp"), TZ: "Asia/Ho_Chi_Minh" };
  const child = spawn(process.execPath, [CLI, "payments", "export", ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let [out, note] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    note += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  expect(readdirSync(join(folder, "tmp"))).toEqual([]);
  return { code, out, note };
}

/** As SIGKILL leaves it: everything is in the WAL. */
function left(): string {
  const place = join(folder, "left");
  cpSync(join(folder, "live"), place, { recursive: true });
  return place;
}
const content = (place: string): unknown =>
  Object.fromEntries(readdirSync(place).map((name) => [name, readFileSync(join(place, name), "hex")]));

test("all payments of a dead agent's journal, and not a byte of it changes", async () => {
  const place = left();
  const before = content(place);
  expect(await exported("--csv", "--state-dir", place)).toEqual({ code: 0, out: csv(...LINES), note: "" });
  expect(content(place)).toEqual(before);
});

test("the same while an agent holds the journal, by the configuration's folder", async () => {
  const config = join(folder, "stationd.toml");
  writeFileSync(config, `[agent]\nstateDir = ${JSON.stringify(join(folder, "live"))}\n`);
  expect(await exported("--config", config)).toEqual({ code: 0, out: csv(...LINES), note: "" });
  await journal.advance("c", { step: "sent", updatedAt: 9 });
});

test("of some days, as the station's clock tells them", async () => {
  const place = left();
  expect((await exported("--state-dir", place, "--from", "2026-11-24", "--to", "2026-11-24")).out).toBe(csv(LINES[1] ?? ""));
  expect((await exported("--state-dir", place, "--to", "2026-11-23")).out).toBe(csv(LINES[0] ?? ""));
  expect((await exported("--state-dir", place, "--from", "2027-01-01")).out).toBe(csv());
  for (const wrong of ["2026-04-31", "yesterday", "2026-11-23T00:00"]) expect((await exported("--from", wrong)).code).toBe(2);
});

test("as JSON, with nothing that is not shown elsewhere", async () => {
  const { out } = await exported("--state-dir", left(), "--json");
  const { payments } = JSON.parse(out) as { payments: Record<string, unknown>[] };
  expect(payments.map(({ job }) => job)).toEqual(["b", "a", "c"]);
  expect(payments[0]).toMatchObject({
    amount_vnd: 120_000,
    state: "approved",
    created_at: "2026-11-23T03:00:00.000Z",
    card_last_four: "0018",
  });
  expect(out).not.toContain("SECRET");
});

test("says what is wrong where there is no journal, or a damaged one", async () => {
  expect(await exported("--state-dir", folder)).toMatchObject({
    code: 1,
    out: "",
    note: expect.stringMatching(/There is no .*--state-dir/),
  });
  expect(readdirSync(folder).sort()).toEqual(["live", "tmp"]);
  const place = left();
  writeFileSync(join(place, "journal.sqlite"), Buffer.alloc(8_192, "no database"));
  rmSync(join(place, "journal.sqlite-wal"));
  const damaged = await exported("--state-dir", place);
  expect(damaged).toMatchObject({ code: 1, out: "", note: expect.stringContaining(`${place}/journal.sqlite is damaged`) });
});

test("a cell is text, whatever a spreadsheet would make of it", () => {
  expect(["=1+1", "+1", "-1", "@x", "\tx", 'a"b', "a,b", "a\nb", "plain", undefined, -5].map(csvCell)).toEqual([
    "'=1+1",
    "'+1",
    "'-1",
    "'@x",
    "'\tx",
    '"a""b"',
    '"a,b"',
    '"a\nb"',
    "plain",
    "",
    "-5",
  ]);
});
