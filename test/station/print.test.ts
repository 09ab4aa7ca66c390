import { createCanvas, loadImage } from "@napi-rs/canvas";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { StationClient } from "../../src/client/node.js";
import type { PrintDocument } from "../../src/protocol/printer.js";
import { startStation, type TestStation } from "../../src/testing.js";
import { faultRow } from "../support/fault.js";

let station: TestStation;
let client: StationClient;
let keys = 0;

const slip: PrintDocument = {
  blocks: [
    { type: "text", text: "PHIẾU HẸN TRẢ KẾT QUẢ", align: "center", size: 2, bold: true },
    { type: "columns", columns: [{ text: "Mã hồ sơ" }, { text: "HS-2026-000123", align: "right" }] },
    { type: "qr", data: "HS-2026-000123", align: "center" },
    ...Array.from({ length: 20 }, (_, line) => ({ type: "text" as const, text: `Giấy tờ kèm theo số ${line + 1}` })),
  ],
};
const key = (): string => `print-${String(++keys).padStart(8, "0")}`;
const paper = async (): Promise<Readonly<Record<string, unknown>>> => (await station.act("receipt", "paperNearEnd", { on: false })).state;

beforeAll(async () => {
  // Slow enough to catch the printer in the middle of a receipt.
  station = await startStation({
    seed: 4,
    scenario: {
      devices: { receipt: { driver: "escpos", link: { kind: "simulator", simulator: "receipt-printer", rowsPerSecond: 3_000 } } },
    },
  });
  client = await station.connect();
});
beforeEach(() => station.reset());
afterAll(() => station.stop());

/** All letters of the Vietnamese alphabet that carry a mark, small and capital. */
function vietnameseLetters(): string[] {
  const tones = ["", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"];
  const vowels = [..."aăâeêioôơuưy"];
  const marked = vowels.flatMap((vowel) => tones.map((tone) => (vowel + tone).normalize("NFC"))).filter((letter) => letter > "\u007f");
  return [...marked, "đ"].flatMap((letter) => [letter, letter.toUpperCase()]);
}

/** The rows of a picture as strings of ink and white, without the white ones at either end. */
async function inkOf(png: Uint8Array): Promise<{ width: number; rows: string[] }> {
  const image = await loadImage(Buffer.from(png));
  const context = createCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  const rows = Array.from({ length: image.height }, (_, y) =>
    Array.from({ length: image.width }, (_, x) => ((data[(y * image.width + x) * 4] ?? 255) < 128 ? "#" : " ")).join(""),
  );
  const inked = rows.map((row) => row.includes("#"));
  return { width: image.width, rows: rows.slice(inked.indexOf(true), inked.lastIndexOf(true) + 1) };
}

/** A promise that the test resolves. */
function gate(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

/** Resolves with the snapshot when the printer is in this state. */
async function until(state: string): Promise<{ reason?: { kind: string; hint: string } | undefined }> {
  for await (const update of client.events(["devices"])) {
    const snapshots = update.kind === "state" ? update.state : [update.data];
    const found = snapshots.find((snapshot) => snapshot.state === state);
    if (found) return found;
  }
  throw new Error("the events ended");
}

test("a receipt comes out once, confirmed, and the same key gives the same answer", async () => {
  const request = { document: slip, idempotencyKey: key() };
  const stages: string[] = [];
  const job = await client.call("printer.print", request, { onProgress: ({ stage }) => stages.push(stage) });
  expect(job).toMatchObject({ state: "printed", confirmation: "confirmed", final: true, simulated: true });
  expect(stages).toEqual(expect.arrayContaining(["preparing", "checking", "sending", "confirming"]));
  expect(await client.call("printer.print", request)).toEqual(job);
  expect(await client.call("jobs.get", { idempotencyKey: request.idempotencyKey })).toEqual(job);
  expect(await paper()).toMatchObject({ receipts: 1, unknownCommands: 0, uncutRows: 0 });
  await expect(client.call("printer.print", { ...request, reprint: true })).rejects.toMatchObject({ kind: "idempotency_conflict" });
});

faultRow({
  device: "printer",
  fault: "Paper runs out in mid-print",
  knobs: ["receipt-printer.paperLeft"],
  sees: "`attention`, `paper_out`; the job stays at `waiting_for_person`, then `printed`",
  does: "keeps the job, and lets the printer go on: one receipt, none twice",
  back: "the refill",
  case: ["paper out"],
});
faultRow({
  device: "printer",
  fault: "Cover opened in mid-print",
  knobs: ["receipt-printer.openCover"],
  sees: "`attention`, `cover_open`; the job stays at `waiting_for_person`, then `printed`",
  does: "keeps the job, and lets the printer go on: one receipt, none twice",
  back: "the cover is closed",
  case: ["cover open"],
});
test.each([
  ["paper out", "paper_out", { start: "paperLeft", params: { rows: 300 }, mend: "refill" }],
  ["cover open", "cover_open", { start: "openCover", params: {}, mend: "closeCover" }],
] as const)(
  "%s in mid-job: attention with its hint, and after a person acted the same receipt goes on",
  async (_name, kind, { start, params, mend }) => {
    const stages: string[] = [];
    const sending = gate();
    const printing = client.call(
      "printer.print",
      { document: slip, idempotencyKey: key() },
      {
        onProgress: ({ stage }) => {
          stages.push(stage);
          if (stage === "sending") sending.resolve();
        },
      },
    );
    if (start === "openCover") await sending.promise;
    await station.act("receipt", start, params);
    expect(await until("attention")).toMatchObject({ reason: { kind, hint: expect.stringMatching(/paper|cover/i) } });
    await station.act("receipt", mend);
    expect(await printing).toMatchObject({ state: "printed", confirmation: "confirmed" });
    expect(stages).toContain("waiting_for_person");
    expect(await paper()).toMatchObject({ receipts: 1 });
    await until("ready");
  },
);

faultRow({
  device: "printer",
  fault: "Paper is out before the job",
  knobs: ["receipt-printer.paperOut"],
  sees: "`not_started`, `paper_out`",
  does: "asks the printer before the first byte, and sends nothing",
  back: "the refill",
});
test("paper out before the job: nothing is started, and the reason is told", async () => {
  await station.act("receipt", "paperOut");
  await until("attention");
  const job = await client.call("printer.print", { document: slip, idempotencyKey: key() });
  expect(job).toMatchObject({ state: "not_started", final: true, reason: { kind: "paper_out", device: "receipt" } });
  expect(await paper()).toMatchObject({ receipts: 0 });
});

faultRow({
  device: "printer",
  fault: "Switched off and on in mid-print, or its power fails",
  knobs: ["receipt-printer.powerCycle"],
  sees: "`failed`, for certain",
  does: "marks the torn receipt as void on the paper; the next one is whole",
  back: "power is there",
  bounds: ["tryAgain"],
});
test("a printer switched off in mid-job and on again: the torn receipt is void, the job failed for certain, the next comes out whole", async () => {
  const sending = gate();
  const printing = client.call(
    "printer.print",
    { document: slip, idempotencyKey: key() },
    { onProgress: ({ stage }) => stage === "sending" && sending.resolve() },
  );
  await sending.promise;
  await station.act("receipt", "powerCycle");
  expect(await printing).toMatchObject({ state: "failed", final: true });
  expect(await client.call("printer.print", { document: slip, idempotencyKey: key() })).toMatchObject({ state: "printed" });
});

test("the preview is the paper, dot for dot, with every accented letter of Vietnamese", async () => {
  const letters = vietnameseLetters();
  expect(letters).toHaveLength(134);
  const document: PrintDocument = { blocks: [{ type: "text", text: letters.join(" ") }, ...slip.blocks] };
  const preview = await client.call("printer.preview", { document });
  expect(await client.call("printer.print", { document, idempotencyKey: key() })).toMatchObject({ state: "printed" });
  const { png } = await station.act("receipt", "paper", { receipt: "last" });
  const [wanted, paper] = [
    await inkOf(new Uint8Array(await client.blob(preview.image).arrayBuffer())),
    await inkOf(png ?? new Uint8Array()),
  ];
  expect(wanted.width).toBe(576);
  expect(paper.width).toBe(576);
  // The tail feeds white paper to the knife; all that is drawn is the same.
  expect(paper.rows.length).toBeGreaterThan(400);
  expect(paper.rows).toEqual(wanted.rows);
});

test("status is told while a receipt waits for paper", async () => {
  await station.act("receipt", "paperLeft", { rows: 200 });
  const printing = client.call("printer.print", { document: slip, idempotencyKey: key() });
  await until("attention");
  expect(await client.call("printer.status", {})).toMatchObject({ paper: "out", online: false, cover: "closed" });
  await station.act("receipt", "refill");
  await printing;
});

test("a technician prints in maintenance mode only, which no citizen's session is open for", async () => {
  const technician = await station.connect("technician");
  const job = { document: { blocks: [{ type: "raw" as const, base64: "G0A=" }] }, idempotencyKey: key() };
  await expect(technician.call("printer.print", job)).rejects.toMatchObject({ kind: "maintenance" });
  await client.call("printer.preview", { document: slip });
  await expect(technician.call("agent.maintenance", { on: true })).rejects.toMatchObject({ kind: "busy" });
  await client.call("session.endCitizen", {});
  await technician.call("agent.maintenance", { on: true });
  expect(await technician.call("printer.print", job)).toMatchObject({ state: "printed" });
  await expect(client.call("printer.preview", { document: slip })).rejects.toMatchObject({ kind: "maintenance" });
  await technician.call("agent.maintenance", { on: false });
});

faultRow({
  device: "agent",
  fault: "The browser is reloaded, closed or killed in mid-print",
  sees: "the same job under its key: `printed`",
  does: "prints on: a job outlives its page",
  back: "the page is there",
});
test("a page that goes away in mid-print finds its receipt by the key, and only its own", async () => {
  const leaving = await station.connect();
  const idempotencyKey = key();
  const started = gate();
  leaving
    .call("printer.print", { document: slip, idempotencyKey }, { onProgress: ({ stage }) => stage === "sending" && started.resolve() })
    .catch(() => {});
  await started.promise;
  leaving.close();
  const back = await station.connect();
  expect(await back.jobs.print({ document: slip, idempotencyKey })).toMatchObject({ state: "printed", final: true });
  expect(await paper()).toMatchObject({ receipts: 1 });
  const other = await station.connect("technician");
  await expect(other.call("jobs.get", { idempotencyKey })).rejects.toMatchObject({ kind: "job_not_found" });
  expect((await other.call("jobs.list", {})).jobs.map((job) => job.idempotencyKey)).toContain(idempotencyKey);
});
