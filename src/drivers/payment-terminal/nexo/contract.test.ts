import { expect, it } from "vitest";
import { faultRow } from "../../../../test/support/fault.js";
import { DeviceError } from "../../../kernel/errors.js";
import { openStation } from "./simulator.test.support.js";

/** The rules of contracts/driver.ts where the wire is HTTPS; test/contract has them for wires of bytes. */

const never = new AbortController().signal;

it("says who it is and what it can do in JSON, and closes as often as it is told", async () => {
  await using station = await openStation();
  const { terminal } = station;
  for (const told of [terminal.identity, terminal.capabilities]) expect(JSON.parse(JSON.stringify(told))).toEqual(told);
  await Promise.all([terminal.close(), terminal.close()]);
  await terminal.close();
  await expect(terminal.selfTest(never)).rejects.toMatchObject({ kind: "device_absent" });
  await expect(terminal.totals(false, never)).rejects.toMatchObject({ kind: "device_absent" });
});

it("does not open where nobody answers, nor with another's key or name", async () => {
  await using station = await openStation();
  for (const settings of [{ passphrase: "another one" }, { keyVersion: 2 }, { keyIdentifier: "other" }, { poiId: "V400m-1" }]) {
    await expect(openStation({}, settings)).rejects.toBeInstanceOf(DeviceError);
  }
  await station.act("unplug");
  await expect(station.open()).rejects.toMatchObject({ kind: "device_absent" });
  await station.act("plug");
  expect((await station.open()).identity).toEqual({ serial: "V400m-346403161" });
});

faultRow({
  device: "nexo",
  fault: "Cable pulled, or the terminal switched off",
  knobs: ["nexo-terminal.unplug"],
  sees: "`device_absent`; a payment stays open until its end is known",
  does: "looks for it, and asks what became of the payment first",
  back: "it is back",
  bounds: ["nexoPoll", "tryAgain"],
});
it("is lost when the terminal does not answer any more, and what is under way rejects", async () => {
  await using station = await openStation({ cardholder: "manual" }, { pollMs: 2_000 });
  const paying = station.terminal
    .pay({ amountVnd: 1_000, reference: "HS-1", description: "" }, station.steps(), never)
    .catch((thrown: unknown) => thrown);
  await station.clock.sleep(2_000);
  await station.act("unplug");
  expect(await paying).toBeInstanceOf(DeviceError);
  expect(await station.terminal.lost).toMatchObject({ kind: "device_absent" });
  await expect(station.terminal.selfTest(never)).rejects.toMatchObject({ kind: "device_absent" });
});

it("survives garbage and floods", async () => {
  await using station = await openStation();
  for (const fault of ["garbage", "huge-body", "truncated-body", "no-envelope", "fragments"]) {
    await station.inject({ fault, category: "Diagnosis" });
    await station.terminal.selfTest(never).catch((thrown: unknown) => expect(thrown).toBeInstanceOf(DeviceError));
  }
  await station.inject({ fault: "notification-flood" });
  expect(await station.pay()).toMatchObject({ state: "approved" });
});
