import { afterEach, describe, expect, it } from "vitest";
import type { Receipt } from "../../../../simulators/receipt-printer/index.js";
import { faultRow } from "../../../../test/support/fault.js";
import type { PrintOutcome } from "../../../contracts/printer.js";
import { equalBytes } from "../../../kernel/bytes.js";
import type { PrintDocument } from "../../../protocol/printer.js";
import { createRig, type Journal, newJournal, type Rig } from "./rig.test.support.js";

const receipt: PrintDocument = {
  blocks: [{ type: "text", text: "Phần một", bold: true }, { type: "cut" }, { type: "text", text: "Phần hai" }, { type: "rule" }],
};
type RigOptions = Parameters<typeof createRig>[0];
type RigConfig = Parameters<typeof createRig>[1];

let rig: Rig | undefined;
afterEach(async () => await rig?.close());

interface Reference {
  readonly pieces: readonly Receipt[];
  readonly bytes: number;
}

/** The pieces of one clean run, and how many bytes cross the wire after the opening. */
async function reference(options: RigOptions, config: RigConfig): Promise<Reference> {
  const clean = createRig(options, config);
  const printer = await clean.open();
  clean.cutAfterBytes = 1_000_000;
  await clean.print(printer, receipt);
  const bytes = 1_000_000 - (clean.cutAfterBytes ?? 0);
  const pieces = clean.simulator.receipts;
  await clean.close();
  return { pieces, bytes };
}

function same(a: Receipt | undefined, b: Receipt | undefined): boolean {
  return a !== undefined && b !== undefined && equalBytes(a.rows.bits, b.rows.bits);
}

/** What the citizen holds: how many times the last piece, which only a whole receipt has, came out. */
function wholeReceipts(pieces: readonly Receipt[], { pieces: clean }: Reference): number {
  return pieces.filter((piece) => same(piece, clean.at(-1))).length;
}

/** Resolves as often as it takes; the wire may be cut meanwhile. */
async function resolved(broken: Rig, journal: Journal): Promise<PrintOutcome> {
  for (let tries = 0; tries < 10; tries++) {
    try {
      const printer = await broken.open();
      return await broken.resolve(printer, journal);
    } catch {
      // the wire again
    }
  }
  throw new Error("never resolved");
}

/** Prints with the wire cut after `bytes`, finds out what became of it, and prints once more. */
async function survive(
  options: RigOptions,
  config: RigConfig,
  clean: Reference,
  bytes: number,
  between: (rig: Rig) => Promise<void>,
): Promise<PrintOutcome["state"]> {
  rig = createRig(options, config);
  const journal = newJournal();
  const printer = await rig.open();
  rig.cutAfterBytes = bytes;
  const outcome = await rig.print(printer, receipt, journal).catch(() => undefined);
  const cutNow = rig.cutAfterBytes === undefined;
  rig.cutAfterBytes = undefined;
  if (cutNow) await between(rig);
  const end = outcome && outcome.state !== "not_started" ? outcome : journal.step === "queued" ? outcome : await resolved(rig, journal);
  const whole = wholeReceipts(rig.simulator.receipts, clean);
  const at = `cut after ${bytes} bytes, ${journal.step}`;
  expect(end, at).toBeDefined();
  if (end?.state === "printed") expect(whole, at).toBe(1);
  if (end?.state === "failed" || end?.state === "not_started") expect(whole, at).toBe(0);
  expect(whole, at).toBeLessThanOrEqual(1);
  // The next citizen's paper is clean.
  const next = await rig.open();
  rig.cutAfterBytes = undefined;
  const before = rig.simulator.receipts.length;
  expect((await rig.print(next, receipt)).state, at).toBe("printed");
  const fresh = rig.simulator.receipts.slice(before);
  if (end?.state !== "not_started")
    expect(
      fresh.every((piece, index) => same(piece, clean.pieces[index])),
      at,
    ).toBe(true);
  await rig.close();
  rig = undefined;
  return end?.state ?? "unknown";
}

describe("a wire cut at every so many bytes", () => {
  const worlds: { name: string; options: RigOptions; config?: RigConfig; between: (rig: Rig) => Promise<void>; unknown: boolean }[] = [
    { name: "and plugged in again", options: {}, between: async () => {}, unknown: false },
    { name: "to a printer that then forgets its buffer", options: { resetOnConnect: true }, between: async () => {}, unknown: false },
    { name: "by a power cut", options: { rowsPerSecond: 1_000 }, between: async (of) => await of.act("powerCycle"), unknown: false },
    {
      name: "with the roll at its end",
      options: {},
      between: async (of) => {
        await of.act("paperOut");
        await of.act("refill");
      },
      unknown: false,
    },
    { name: "of a clone", options: { model: "clone" }, config: { profile: "clone" }, between: async () => {}, unknown: true },
  ];
  faultRow({
    device: "printer",
    fault: "Cable pulled in mid-print, at any byte",
    sees: "`printed` or `failed`, and it is true; `unknown` only of a clone that cannot tell",
    does: "asks the printer what came out before it serves anybody else, marks a torn receipt as void, prints nothing twice",
    bounds: ["tryAgain"],
    measured: ["lab: printer-lp, pulled in mid-print", "lab: printer-usb, pulled in mid-print"],
    case: ["and plugged in again"],
    also: "npm run torture:print",
  });
  it.each(worlds)(
    "$name",
    async ({ options, config = {}, between, unknown }) => {
      const clean = await reference(options, config);
      expect(clean.pieces).toHaveLength(2);
      const states = new Set<string>();
      const dense = clean.bytes - 60; // the tail, byte by byte
      for (let bytes = 0; bytes <= clean.bytes; bytes += bytes < dense ? 61 : 1) {
        states.add(await survive(options, config, clean, bytes, between));
      }
      // And once not cut at all.
      states.add(await survive(options, config, clean, 2 * clean.bytes, between));
      expect(states.has("unknown")).toBe(unknown);
      expect(states).toContain("failed");
      expect(states).toContain("printed");
    },
    120_000,
  );
});
