import { execFile } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { StationClient } from "../../src/client/node.js";
import { readVietQr } from "../../src/formats/vietqr.js";
import { systemClock } from "../../src/kernel/clock.js";
import type { PaymentJob } from "../../src/protocol/payment-terminal.js";
import { type Scenario, startStation, type TestStation } from "../../src/testing.js";
import { faultRow } from "../support/fault.js";

const COMMAND = fileURLToPath(new URL("../../bundle/stationd.js", import.meta.url));
const backEnd = generateKeyPairSync("ed25519");
const scenario: Scenario = {
  devices: {
    vietqr: {
      driver: "vietqr",
      bankBin: "970416",
      account: "257678859",
      confirmationKeys: [backEnd.publicKey.export({ type: "spki", format: "pem" }) as string],
      expiresMs: 60_000,
    },
    terminal: { driver: "zvt", password: "123456", link: { kind: "simulator", simulator: "zvt-terminal" } },
  },
};

let stateDir: string;
let station: TestStation;
let page: StationClient;
/** A second agent over the same journal draws other numbers. */
let starts = 0;
let keys = 0;
let bill = "";

const start = async (): Promise<void> => {
  station = await startStation({ seed: ++starts, scenario, stateDir });
  page = await station.connect();
};
beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "stationd-vietqr-"));
  await start();
});
beforeEach(() => {
  bill = `bill-${String(++keys).padStart(8, "0")}`;
});
afterAll(async () => {
  await station.stop();
  await rm(stateDir, { recursive: true, force: true });
});

const AMOUNT = 482_000;
const order = (): { amountVnd: number; reference: string; idempotencyKey: string; method: "vietqr" } => ({
  amountVnd: AMOUNT,
  reference: "PE05-7",
  idempotencyKey: bill,
  method: "vietqr",
});
const stands = async (): Promise<PaymentJob> => (await page.call("jobs.get", { idempotencyKey: bill })) as PaymentJob;
const until = async (fits: (job: PaymentJob) => boolean): Promise<PaymentJob> => {
  for (;;) {
    const job = await stands().catch(() => undefined);
    if (job && fits(job)) return job;
    await systemClock().sleep(5);
  }
};
const shown = (): Promise<PaymentJob> => until(({ code }) => code !== undefined);

/** The bank books a transfer and the back-end signs what it heard of it. */
let booked = 0;
function transfer({ code, ...job }: PaymentJob, claims: Record<string, unknown> = {}): string {
  const read = readVietQr(code?.payload ?? "");
  if (!read) throw new Error("nothing to scan");
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Date.now() / 1_000 + 600;
  const told = {
    purpose: `IBFT ${read.purpose?.toLowerCase()} GD 991`,
    amountVnd: job.amountVnd,
    transactionId: `FT${++booked}`,
    exp,
    ...claims,
  };
  const signed = `${part({ alg: "EdDSA" })}.${part(told)}`;
  return `${signed}.${sign(null, Buffer.from(signed), backEnd.privateKey).toString("base64url")}`;
}
const confirm = (confirmation: string): Promise<PaymentJob> => page.call("paymentTerminal.confirm", { confirmation });

test("a code is shown, scanned, paid and confirmed; told twice, it is one payment", async () => {
  const stages: string[] = [];
  const paid = page.call("paymentTerminal.pay", order(), { onProgress: ({ stage }) => void stages.push(stage) });
  const open = await shown();
  expect(open).toMatchObject({ state: "in_progress", device: "vietqr", simulated: true });
  expect(readVietQr(open.code?.payload ?? "")).toMatchObject({ amountVnd: AMOUNT, account: "257678859", bankBin: "970416" });
  const confirmation = transfer(open);
  const [first, second] = await Promise.all([confirm(confirmation), confirm(confirmation)]);
  expect(first).toMatchObject({ state: "approved", final: true, transfers: [{ transactionId: `FT${booked}`, amountVnd: AMOUNT }] });
  expect(second).toEqual(first);
  expect(await paid).toMatchObject({ job: first.job, state: "approved" });
  expect((await paid).code).toBeUndefined();
  expect(stages).toEqual(["scan_code"]);
});

test("several people pay at once, and a card terminal is not held up by them", async () => {
  const all = ["a", "b", "c"].map((name) => ({ ...order(), idempotencyKey: `${bill}-${name}` }));
  const paid = all.map((one) => page.call("paymentTerminal.pay", one));
  const jobs: PaymentJob[] = [];
  for (const { idempotencyKey } of all) {
    bill = idempotencyKey;
    jobs.push(await shown());
  }
  const card = await page.call("paymentTerminal.pay", { ...order(), method: "card", idempotencyKey: `${bill}-card` });
  expect(card).toMatchObject({ device: "terminal", state: "approved" });
  for (const job of [...jobs].reverse()) await confirm(transfer(job));
  expect((await Promise.all(paid)).map(({ state }) => state)).toEqual(["approved", "approved", "approved"]);
});

faultRow({
  device: "vietqr",
  fault: "Money comes too late, twice, or another amount",
  sees: "`manual_review`, with each transfer",
  does: "never takes it for the payment, and never drops it",
  back: "a person",
});
test("a transfer that comes too late, once more, or of another amount is put before a person and never dropped", async () => {
  const stop = new AbortController();
  const withdrawn = page.call("paymentTerminal.pay", order(), { signal: stop.signal }).catch(() => undefined);
  const open = await shown();
  stop.abort();
  await withdrawn;
  expect(await until(({ final }) => final)).toMatchObject({ state: "cancelled" });
  const late = transfer(open);
  expect(await confirm(late)).toMatchObject({
    state: "manual_review",
    reason: { kind: "payment_unresolved" },
    transfers: [{ amountVnd: AMOUNT }],
  });
  expect(await confirm(late)).toMatchObject({ transfers: [{ transactionId: `FT${booked}` }] });

  bill = `${bill}-twice`;
  const twice = page.call("paymentTerminal.pay", order());
  const again = await shown();
  await confirm(transfer(again));
  expect(await twice).toMatchObject({ state: "approved" });
  expect(await confirm(transfer(again))).toMatchObject({ state: "manual_review", transfers: [{}, { transactionId: `FT${booked}` }] });

  bill = `${bill}-less`;
  const less = page.call("paymentTerminal.pay", order());
  await confirm(transfer(await shown(), { amountVnd: 1_000 }));
  expect(await less).toMatchObject({ state: "manual_review", transfers: [{ amountVnd: 1_000 }] });
});

faultRow({
  device: "vietqr",
  fault: "One transfer names two bills, or is told twice",
  sees: "one payment: `approved`",
  does: "counts each transfer once, restarts included",
  back: "–",
});
test("one transfer with the purposes of two bills pays one of them, also when it is told again after a restart", async () => {
  const first = page.call("paymentTerminal.pay", order());
  const paid = await shown();
  bill = `${bill}-other`;
  page.call("paymentTerminal.pay", order()).catch(() => {});
  const other = await shown();
  const purposes = [paid, other].map(({ code }) => readVietQr(code?.payload ?? "")?.purpose);
  const both = transfer(paid, { purpose: purposes.join(" "), job: undefined });
  expect(await confirm(both)).toMatchObject({ job: paid.job, state: "approved" });
  expect(await first).toMatchObject({ state: "approved" });
  await station.stop();
  await start();
  expect(await confirm(both)).toMatchObject({ job: paid.job, state: "approved" });
  expect(await shown()).toMatchObject({ job: other.job, final: false });
  expect(await confirm(transfer(other))).toMatchObject({ job: other.job, state: "approved" });
});

faultRow({
  device: "vietqr",
  fault: "A word of money that nobody signed, or for no open payment",
  sees: "`invalid_params` or `job_not_found`, to whoever told it",
  does: "believes only what a configured key signed",
  back: "–",
});
test("a transfer for nobody, for another job, or from a stranger is refused by name", async () => {
  const paid = page.call("paymentTerminal.pay", order());
  const open = await shown();
  await expect(confirm(transfer(open, { purpose: "tien dien" }))).rejects.toMatchObject({ kind: "job_not_found" });
  await expect(confirm(transfer(open, { job: "0".repeat(32) }))).rejects.toMatchObject({ kind: "job_not_found" });
  await expect(confirm(transfer(open).replace(/.$/, (last) => (last === "A" ? "Q" : "A")))).rejects.toMatchObject({
    kind: "invalid_params",
  });
  await expect(page.call("paymentTerminal.confirm", { device: "terminal", confirmation: transfer(open) })).rejects.toMatchObject({
    kind: "unknown_device",
  });
  await confirm(transfer(open, { job: open.job }));
  expect(await paid).toMatchObject({ state: "approved" });
});

faultRow({
  device: "vietqr",
  fault: "The agent restarts while a code is shown",
  sees: "`resolving`, with the same code; `approved` when the money comes",
  does: "shows it again until its time is over",
  back: "the agent is up",
  bounds: ["restart"],
});
test("the agent restarts while a code is out: it is shown again, and its transfer counts", async () => {
  page.call("paymentTerminal.pay", order()).catch(() => {});
  const { code, job } = await shown();
  await station.stop();
  await start();
  const again = await shown();
  expect(again).toMatchObject({ job, state: "resolving", final: false, code: { payload: code?.payload ?? "" } });
  expect(await confirm(transfer(again))).toMatchObject({ job, state: "approved" });
  expect(await stands()).toMatchObject({ state: "approved", receipt: { approvedAt: expect.stringMatching(/^\d{4}-/) } });
});

test("what a transfer payment cannot do is said so", async () => {
  const technician = await station.connect("technician");
  await expect(technician.call("paymentTerminal.reconcile", { device: "vietqr" })).rejects.toMatchObject({ kind: "unsupported" });
  const paid = page.call("paymentTerminal.pay", order());
  const { job } = await confirm(transfer(await shown()));
  await paid;
  expect(await technician.call("paymentTerminal.reverse", { job, idempotencyKey: `${bill}-back` })).toMatchObject({
    state: "not_started",
    reason: { kind: "unsupported" },
  });
  expect(await stands()).toMatchObject({ state: "approved" });
  technician.close();
});

test("a technician tries it at the terminal: the code is drawn there, narrow enough for any window", async () => {
  bill = `${bill}-cli`;
  const token = join(stateDir, "token");
  await writeFile(token, station.tokens.technician);
  const args = ["pay", "1000", "--method", "vietqr", "--yes", "--key", bill, "--url", station.url, "--token-file", token];
  const command = promisify(execFile)(process.execPath, [COMMAND, ...args]);
  const technician = await station.connect("technician");
  const kiosk = page;
  page = technician;
  await confirm(transfer(await shown()));
  page = kiosk;
  const { stdout, stderr } = await command;
  expect(stdout).toContain(`approved [simulated]\n  transfer FT${booked}: 1000 VND`);
  const drawn = stderr.split("\n").filter((line) => /[█▀▄]{3}/.test(line));
  expect(drawn.length).toBeGreaterThan(15);
  for (const line of drawn) expect([...line].length).toBeLessThanOrEqual(80);
  technician.close();
});
