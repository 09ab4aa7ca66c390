import { afterEach, expect, it } from "vitest";
import { faultRow } from "../../../../test/support/fault.js";
import { createRig, newJournal, type Rig, slip } from "./rig.test.support.js";

const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});
function made(...options: Parameters<typeof createRig>): Rig {
  const rig = createRig(...options);
  rigs.push(rig);
  return rig;
}

/** How far a job came on a printer that can tell everything, broken off in its tail. */
async function brokenInTail(): Promise<ReturnType<typeof newJournal>> {
  const first = made();
  const journal = newJournal();
  await first.print(await first.open(), slip, journal);
  journal.step = "finishing";
  return journal;
}

it("a lesser printer in the place of the one that began the job: unknown, one empty slip, and the next receipt comes out", async () => {
  const journal = await brokenInTail();
  const second = made({ model: "clone" });
  const printer = await second.open();
  expect(await second.resolve(printer, journal)).toMatchObject({ state: "unknown" });
  expect(second.simulator.receipts.length).toBeLessThanOrEqual(1);
  expect(await second.print(printer)).toMatchObject({ state: "printed" });
});

it("a lesser printer and a torn receipt: failed, and it ends", async () => {
  const journal = await brokenInTail();
  journal.step = "sending";
  const second = made({ model: "clone" });
  expect(await second.resolve(await second.open(), journal)).toMatchObject({ state: "failed" });
});

it("the baseline holds no serial number as it is: makers put blanks into them", async () => {
  const journal = await brokenInTail();
  expect(String(journal.baseline.serial)).toMatch(/^[0-9a-f]{16}$/);
});

faultRow({
  device: "printer",
  fault: "Another printer is put in its place after an interrupted job",
  sees: "`unknown`",
  does: "believes no other printer's counter; the next job is printed",
  back: "at once",
});
it("another printer that says nothing of itself is not believed, however high its counter stands", async () => {
  const journal = await brokenInTail();
  const other = made();
  const printer = await other.open();
  // It has cut more than the job would have, under another serial number.
  await other.print(printer);
  await other.print(printer);
  journal.baseline = { ...journal.baseline, serial: "0123456789abcdef" };
  expect(await other.resolve(printer, journal)).toMatchObject({ state: "unknown" });
});

faultRow({
  device: "printer",
  fault: "Falls silent in mid-print",
  knobs: ["receipt-printer.loseReplies"],
  sees: "`device_absent`; the job is not called printed",
  does: "asks again while there is hope, then opens it anew and asks what came out",
  back: "it answers",
  bounds: ["escposSilence"],
});
it("a printer that dies without a word is not taken for one that printed", async () => {
  const mute = made({ model: "clone" }, { profile: "clone", silenceMs: 500, replyMs: 100, stallMs: 2_000 });
  const printer = await mute.open();
  await mute.act("loseReplies", { count: 0 });
  const journal = newJournal();
  const prepared = await mute.run(printer.prepare(slip, { reprint: false, simulated: false }, new AbortController().signal));
  const steps = {
    sending: async (baseline: typeof journal.baseline) => {
      journal.step = "sending";
      journal.baseline = baseline;
      await mute.act("loseReplies", { on: true });
    },
    finishing: async () => {},
    sent: async () => {},
    progress() {},
  };
  await expect(mute.run(printer.print(prepared, steps, new AbortController().signal))).rejects.toMatchObject({ kind: "device_absent" });
});

it("paper that only feeds is measured before it is laid out", async () => {
  const rig = made();
  const printer = await rig.open();
  const feeds = { blocks: Array.from({ length: 500 }, () => ({ type: "feed" as const, lines: 40 })) };
  await expect(rig.print(printer, feeds)).rejects.toMatchObject({ kind: "too_large" });
});
