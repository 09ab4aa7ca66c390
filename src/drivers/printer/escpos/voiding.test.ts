import { afterEach, expect, it } from "vitest";
import type { PrintOutcome } from "../../../contracts/printer.js";
import { createRig, never, newJournal, plain, type Rig, slip, stepsInto } from "./rig.test.support.js";

let rig: Rig;
afterEach(async () => await rig.close());

it("never takes the cut of the void line for the receipt's own, wherever the wire is cut while it is found out", async () => {
  const seen = new Set<string>();
  for (let bytes = 0; bytes < 9_000; bytes += 173) {
    rig = createRig({ rowsPerSecond: 1_000 });
    const printer = await rig.open();
    const journal = newJournal();
    const steps = stepsInto(journal);
    const sent = async (): Promise<void> => {
      await steps.sent();
      await rig.act("powerCycle"); // with the tail still in its buffer
    };
    const prepared = await rig.run(printer.prepare(slip, plain, never));
    await expect(rig.run(printer.print(prepared, { ...steps, sent }, never))).rejects.toMatchObject({ kind: "device_absent" });

    const interrupted = await rig.open();
    rig.cutAfterBytes = bytes;
    let end: PrintOutcome | undefined = await rig.resolve(interrupted, journal).catch(() => undefined);
    rig.cutAfterBytes = undefined;
    seen.add(end ? "at once" : `again from ${journal.step}`);
    end ??= await rig.resolve(await rig.open(), journal);
    expect(end, `cut after ${bytes} bytes`).toMatchObject({ state: "failed" });
    expect(rig.simulator.state()).toMatchObject({ uncutRows: 0 });
    await rig.close();
  }
  expect([...seen].sort()).toEqual(["again from sent", "again from voiding", "at once"]);
});
