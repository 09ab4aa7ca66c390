import { afterEach, describe, expect, it } from "vitest";
import { faultRow } from "../../../../test/support/fault.js";
import type { PrintDocument } from "../../../protocol/printer.js";
import { createRig, never, newJournal, plain, type Rig, slip, stepsInto } from "./rig.test.support.js";

/** Long enough to be under way when something happens. */
const long: PrintDocument = {
  blocks: Array.from({ length: 40 }, (_, line) => ({ type: "text", text: `Dòng thứ ${line} của giấy biên nhận` })),
};

let rig: Rig;
afterEach(async () => await rig.close());

const printers = [
  { name: "an Epson", options: {}, config: {}, confirmation: "confirmed" },
  { name: "a clone", options: { model: "clone" }, config: { profile: "clone" }, confirmation: "inferred" },
  {
    name: "one with a small buffer",
    options: { bufferBytes: 2_048 },
    config: { windowBytes: 1_024, bandRows: 8 },
    confirmation: "confirmed",
  },
] as const;

describe.each(printers)("$name", ({ options, config, confirmation }) => {
  it.each([
    { reason: "paper_out", stop: ["paperOut"], go: ["refill"] },
    { reason: "cover_open", stop: ["openCover"], go: ["closeCover"] },
  ])("waits for a person after $reason in mid-job, then goes on once", async ({ reason, stop, go }) => {
    rig = createRig({ ...options, rowsPerSecond: 1_000 }, config);
    const printer = await rig.open();
    const journal = newJournal();
    const prepared = await rig.run(printer.prepare(long, plain, never));
    const printing = printer.print(prepared, stepsInto(journal), never);
    await rig.clock.advance(500);
    for (const action of stop) await rig.act(action);
    await rig.clock.advance(60_000);
    expect(journal.stages.at(-1)).toBe("waiting_for_person");
    expect(rig.conditions.at(-1)).toMatchObject({ state: "attention", reason: { kind: reason } });
    for (const action of go) await rig.act(action);
    expect(await rig.run(printing)).toEqual({ state: "printed", confirmation });
    expect(rig.simulator.receipts).toHaveLength(1);
    expect(rig.conditions.at(-1)).toMatchObject({ state: "ready" });
  });
});

faultRow({
  device: "printer",
  fault: "Cover is open before the job",
  knobs: ["receipt-printer.openCover"],
  sees: "`not_started`, `cover_open`",
  does: "asks the printer before the first byte, and sends nothing",
  back: "the cover is closed",
  case: ["openCover"],
});
faultRow({
  device: "printer",
  fault: "Cutter is jammed before the job",
  knobs: ["receipt-printer.jamCutter"],
  sees: "`not_started`, `paper_jam`",
  does: "asks the printer before the first byte, and sends nothing",
  back: "the jam is cleared",
  case: ["jamCutter"],
});
faultRow({
  device: "printer",
  fault: "Switched offline at its panel",
  knobs: ["receipt-printer.offline"],
  sees: "`not_started`, `device_fault`",
  does: "asks the printer before the first byte, and sends nothing",
  back: "it is switched online",
  case: ["offline"],
});
it.each([
  { action: "paperOut", kind: "paper_out" },
  { action: "openCover", kind: "cover_open" },
  { action: "jamCutter", kind: "paper_jam" },
  { action: "offline", kind: "device_fault" },
])("refuses before the first byte after $action", async ({ action, kind }) => {
  rig = createRig();
  const printer = await rig.open();
  await rig.act(action);
  const journal = newJournal();
  expect(await rig.print(printer, long, journal)).toMatchObject({ state: "not_started", reason: { kind } });
  expect(journal.step).toBe("queued");
  expect(rig.simulator.state()).toMatchObject({ rowsPrinted: 0 });
});

faultRow({
  device: "printer",
  fault: "Cutter jams in mid-print",
  knobs: ["receipt-printer.jamCutter"],
  sees: "`attention`, `paper_jam`; then `printed`",
  does: "waits, tells the printer to recover, and goes on: one receipt",
  back: "the jam is cleared",
});
it("goes on after a jam of the cutter that a person cleared", async () => {
  rig = createRig({ rowsPerSecond: 2_000 });
  const printer = await rig.open();
  const prepared = await rig.run(printer.prepare(long, plain, never));
  const printing = printer.print(prepared, stepsInto(newJournal()), never);
  await rig.clock.advance(300);
  await rig.act("jamCutter");
  await rig.clock.advance(10_000);
  expect(rig.conditions.at(-1)).toMatchObject({ state: "attention", reason: { kind: "paper_jam" } });
  await rig.act("clearJam");
  expect(await rig.run(printing)).toEqual({ state: "printed", confirmation: "confirmed" });
  expect(rig.simulator.receipts).toHaveLength(1);
});

faultRow({
  device: "printer",
  fault: "Cover opened in mid-print, on a model that makes an error of it",
  knobs: ["receipt-printer.openCover"],
  sees: "`printed`, in the end",
  does: "tells the printer to recover once the cover is closed",
  back: "the cover is closed",
});
it("tells an error of the cover open in mid-print to go on", async () => {
  rig = createRig({ rowsPerSecond: 1_000, coverNeedsRecover: true });
  const printer = await rig.open();
  const prepared = await rig.run(printer.prepare(long, plain, never));
  const printing = printer.print(prepared, stepsInto(newJournal()), never);
  await rig.clock.advance(300);
  await rig.act("openCover");
  await rig.clock.advance(5_000);
  await rig.act("closeCover");
  expect(await rig.run(printing)).toEqual({ state: "printed", confirmation: "confirmed" });
});

faultRow({
  device: "printer",
  fault: "Roll is nearly at its end",
  knobs: ["receipt-printer.paperNearEnd"],
  sees: "`ready`, with the warning `paper_near_end`",
  does: "prints on",
  back: "the refill",
  bounds: ["escposPoll"],
});
faultRow({
  device: "printer",
  fault: "Falls silent while idle, its cable still in",
  knobs: ["receipt-printer.loseReplies"],
  sees: "`device_absent`",
  does: "gives it up and opens it anew",
  back: "it answers",
  bounds: ["escposPoll", "escposReply", "tryAgain"],
});
it("notices what happens while it stands idle, and a printer that went away", async () => {
  rig = createRig({ model: "clone" }, { profile: "clone" });
  const printer = await rig.open();
  await rig.act("paperNearEnd");
  await rig.clock.advance(5_000);
  expect(rig.conditions.at(-1)).toEqual({ state: "ready", warnings: ["paper_near_end"] });
  await rig.act("openCover");
  await rig.clock.advance(5_000);
  expect(rig.conditions.at(-1)).toMatchObject({ state: "attention", reason: { kind: "cover_open" } });
  await rig.act("loseReplies", { on: true });
  expect(await rig.run(printer.lost)).toMatchObject({ kind: "device_absent" });
});

faultRow({
  device: "printer",
  fault: "One of its answers is lost",
  knobs: ["receipt-printer.loseReplies"],
  sees: "`printed`, `confirmed`",
  does: "asks again, and compares the printer's own counter of cuts",
  back: "at once",
  bounds: ["escposSilence"],
});
it("asks the counter where the confirmation was lost on its way", async () => {
  rig = createRig();
  const printer = await rig.open();
  const journal = newJournal();
  const prepared = await rig.run(printer.prepare(long, plain, never));
  const steps = stepsInto(journal);
  const lossy = {
    ...steps,
    finishing: async () => {
      await steps.finishing();
      await rig.act("loseReplies", { count: 1 });
    },
  };
  expect(await rig.run(printer.print(prepared, lossy, never))).toEqual({ state: "printed", confirmation: "confirmed" });
  expect(rig.simulator.receipts).toHaveLength(1);
});

faultRow({
  device: "printer",
  fault: "Its line is slow",
  knobs: ["receipt-printer.slowLink"],
  sees: "`printed`, later",
  does: "awaits an answer for as long as what is on its way ahead of the question may take",
  back: "–",
});
it("a slow line makes a receipt later, and nothing else", async () => {
  rig = createRig();
  const printer = await rig.open();
  // As 9,600 baud are: what is on its way ahead of a question holds up its answer.
  await rig.act("slowLink", { bytesPerSecond: 960 });
  const before = rig.clock.now();
  expect(await rig.print(printer, slip)).toEqual({ state: "printed", confirmation: "confirmed" });
  expect(rig.simulator.receipts).toHaveLength(1);
  expect(rig.clock.now() - before).toBeGreaterThan(5_000);
});

faultRow({
  device: "printer",
  fault: "The journal cannot be written in mid-print",
  sees: "`failed`",
  does: "holds back what makes a receipt of it, and marks as void what is out",
  back: "the disk takes data",
});
it.each(["sending", "finishing"] as const)(
  "keeps tail and knife back where the journal fails in mid-job, and voids behind a mark (on disk: %s)",
  async (onDisk) => {
    rig = createRig();
    const printer = await rig.open();
    const prepared = await rig.run(printer.prepare(long, plain, never));
    const journal = newJournal();
    const broken = { ...stepsInto(journal), finishing: () => Promise.reject(new Error("disk")) };
    await expect(rig.run(printer.print(prepared, broken, never))).rejects.toThrow("disk");
    // Whether the mark is on disk nobody knows: no cut may be made that looks like the tail's.
    expect(rig.simulator.receipts).toHaveLength(0);
    journal.step = onDisk;
    expect(await rig.resolve(printer, journal)).toMatchObject({ state: "failed" });
    expect(journal.step).toBe("voiding");
    expect(rig.simulator.state()).toMatchObject({ uncutRows: 0, receipts: 1 });
  },
);

it("stops when asked before the first byte, and not after", async () => {
  rig = createRig();
  const printer = await rig.open();
  const prepared = await rig.run(printer.prepare(long, plain, never));
  const stop = new AbortController();
  stop.abort(new Error("asked"));
  expect(await rig.run(printer.print(prepared, stepsInto(newJournal()), stop.signal))).toMatchObject({ state: "not_started" });
  const late = new AbortController();
  const steps = stepsInto(newJournal());
  const sending: typeof steps.sending = async (baseline) => {
    await steps.sending(baseline);
    late.abort();
  };
  expect(await rig.run(printer.print(prepared, { ...steps, sending }, late.signal))).toMatchObject({ state: "printed" });
});
