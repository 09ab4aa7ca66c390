import { afterEach, describe, expect, it } from "vitest";
import { faultRow } from "../../../../test/support/fault.js";
import { createRig, newJournal, type Rig, slip } from "./rig.test.support.js";

let rig: Rig;
afterEach(async () => await rig.close());

describe("a whole receipt", () => {
  it("comes out once and is confirmed", async () => {
    rig = createRig();
    const printer = await rig.open();
    expect(printer.identity).toMatchObject({ vendor: "STATIOND", model: "SIM-80" });
    expect(printer.capabilities).toMatchObject({ confirmation: "confirmed", cutterCounter: 178, autoStatus: true, acknowledges: true });
    const journal = newJournal();
    expect(await rig.print(printer, slip, journal)).toEqual({ state: "printed", confirmation: "confirmed" });
    expect(journal.step).toBe("sent");
    expect(rig.simulator.receipts).toHaveLength(1);
    expect(rig.simulator.state()).toMatchObject({ unknownCommands: 0, uncutRows: 0 });
    expect(rig.conditions.at(-1)).toEqual({ state: "ready" });
  });

  it("is inferred from a clone that acknowledges only", async () => {
    rig = createRig({ model: "clone" }, { profile: "clone" });
    const printer = await rig.open();
    expect(await rig.print(printer)).toEqual({ state: "printed", confirmation: "inferred" });
    expect(rig.simulator.receipts).toHaveLength(1);
    expect(rig.simulator.state()).toMatchObject({ unknownCommands: 0 });
  });

  it("finds out by itself that a printer is a clone", async () => {
    rig = createRig({ model: "clone" });
    const printer = await rig.open();
    expect(printer.capabilities).toMatchObject({ confirmation: "inferred", autoStatus: false });
    expect(await rig.print(printer)).toEqual({ state: "printed", confirmation: "inferred" });
    expect(rig.simulator.receipts).toHaveLength(1);
  });

  it("is only sent to a one-way printer", async () => {
    rig = createRig({ model: "one-way" }, { oneWay: true });
    const printer = await rig.open();
    expect(await rig.print(printer)).toEqual({ state: "sent" });
    expect(rig.simulator.receipts).toHaveLength(1);
  });
});

faultRow({
  device: "printer",
  fault: "Has never answered",
  sees: "`device_absent`",
  does: "does not use it, and says in the hint which setting is for printers that cannot answer",
  back: "it is configured",
  bounds: ["tryAgain"],
});
it("tells a printer that never answers from a one-way one", async () => {
  rig = createRig({ model: "one-way" });
  await expect(rig.open()).rejects.toMatchObject({ kind: "device_absent", hint: expect.stringContaining("oneWay") });
});
