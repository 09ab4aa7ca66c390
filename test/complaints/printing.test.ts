import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StationClient } from "../../src/client/node.js";
import type { PrintDocument } from "../../src/protocol/printer.js";
import { startStation, type TestStation } from "../../src/testing.js";
import { faultRow } from "../support/fault.js";
import { untilDevice } from "./station.test.support.js";

const receipt: PrintDocument = {
  blocks: Array.from({ length: 20 }, (_, line) => ({ type: "text" as const, text: `Giấy tờ kèm theo số ${line + 1}` })),
};
/** Ends in the middle of the receipt: the job hangs until a person brings paper. */
const TOO_FEW_ROWS = 300;

describe("receipts", () => {
  let station: TestStation;
  let page: StationClient;
  let keys = 0;
  const key = (): string => `complaint-${++keys}`.padEnd(12, "0");
  const printed = async (): Promise<unknown> => (await station.act("receipt", "paperNearEnd", { on: false })).state.receipts;

  beforeAll(async () => {
    const devices = { receipt: { driver: "escpos", link: { kind: "simulator", simulator: "receipt-printer" } } };
    station = await startStation({ seed: 11, scenario: { devices } });
  });
  beforeEach(async () => {
    await station.reset();
    page = await station.connect();
  });
  afterAll(() => station.stop());

  it("a receipt comes out twice after a time-out (odoo#225678, odoo#244076)", async () => {
    await station.act("receipt", "paperLeft", { rows: TOO_FEW_ROWS });
    const request = { document: receipt, idempotencyKey: key() };
    const patience = new AbortController();
    const first = page.call("printer.print", request, {
      signal: patience.signal,
      onProgress: ({ stage }) => stage === "waiting_for_person" && patience.abort(),
    });
    // The page has lost its patience, part of the receipt is out: no failure is made up, and nothing is begun anew.
    expect(await first).toMatchObject({ final: false });
    page.close();
    const reloaded = await station.connect();
    const again = reloaded.jobs.print(request);
    const once = (await station.connect()).jobs.print(request);
    await station.act("receipt", "refill");
    const [one, two] = await Promise.all([again, once]);
    expect(one).toMatchObject({ state: "printed", final: true });
    expect(two).toEqual(one);
    expect(await printed()).toBe(1);
  });

  it("paper runs out, and after the refill the same receipt comes out over and over (node-thermal-printer)", async () => {
    await station.act("receipt", "paperLeft", { rows: TOO_FEW_ROWS });
    const request = { document: receipt, idempotencyKey: key() };
    const job = page.call("printer.print", request);
    for (let refills = 0; refills < 3; refills++) {
      await untilDevice(page, "receipt", "attention");
      await station.act("receipt", "refill");
      if (refills < 2) await station.act("receipt", "paperLeft", { rows: 100 });
    }
    expect(await job).toMatchObject({ state: "printed" });
    expect(await printed()).toBe(1);
  });

  faultRow({
    device: "printer",
    fault: "Switched off while idle",
    knobs: ["receipt-printer.powerOff"],
    sees: "`absent`, `device_absent`",
    does: "tells no status from memory, and looks for it",
    back: "it is switched on",
    bounds: ["tryAgain"],
  });
  it("the printer's status is always OK, or is wrong (qzind/tray#784)", async () => {
    const status = () => page.call("printer.status", {});
    expect(await status()).toMatchObject({ online: true, paper: "ok", cover: "closed", error: "none" });
    const signs = [
      ["openCover", "closeCover", { cover: "open", online: false }, "attention"],
      ["paperOut", "refill", { paper: "out", online: false }, "attention"],
      ["paperNearEnd", "refill", { paper: "near_end", online: true }, "ready"],
    ] as const;
    for (const [happens, mended, told, state] of signs) {
      await station.act("receipt", happens);
      await untilDevice(page, "receipt", state);
      await expect.poll(status).toMatchObject(told);
      await station.act("receipt", mended);
      await untilDevice(page, "receipt", "ready");
      await expect.poll(status).toMatchObject({ online: true, paper: "ok", cover: "closed" });
    }
    // Switched off it is not "OK" from memory, either.
    await station.act("receipt", "powerOff");
    await untilDevice(page, "receipt", "absent");
    await expect(status()).rejects.toMatchObject({ kind: "device_absent" });
  });
});
