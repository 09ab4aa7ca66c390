import { randomInt } from "node:crypto";
import { describe, expect, it } from "vitest";
import { DeviceError } from "../../../kernel/errors.js";
import type { HttpLink } from "../../../kernel/http.js";
import type { Connect } from "../../../kernel/link.js";
import { http } from "../../../transports/http.js";
import { jpeg } from "./documents.test.support.js";
import { fakeScanner, never, openRig } from "./rig.test.support.js";

/** The rules of contracts/driver.ts where the wire is HTTP; test/contract has them for wires of bytes. */

const countClosing =
  (port: number, closing: () => void): Connect<HttpLink> =>
  async (signal) => {
    const link = await http({ kind: "http", host: "127.0.0.1", port })(signal);
    const close = (): Promise<void> => {
      closing();
      return link.close();
    };
    return { ...link, close };
  };

describe("the contract", () => {
  it("says who it is and what it can do in JSON, and closes as often as it is told", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port);
    const { device, conditions } = rig;
    expect(device.identity).toEqual({ model: "HP PageWide Pro 477dw MFP", serial: "CN136MX02P" });
    expect(conditions).toEqual([{ state: "ready" }]);
    expect(JSON.parse(JSON.stringify(device.capabilities))).toEqual(device.capabilities);
    expect(await device.selfTest(never)).toEqual([{ check: "answers", ok: true, note: "Idle" }]);
    await Promise.all([device.close(), device.close()]);
    await device.close();
    await expect(device.selfTest(never)).rejects.toMatchObject({ kind: "device_absent" });
    await expect(rig.scan()).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("does not open where nobody answers, or somebody else does", async () => {
    const nobody = http({ kind: "http", host: `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}`, port: 8_080 });
    await expect(openRig(0, {}, nobody)).rejects.toMatchObject({ kind: "device_absent" });
    await using scanner = await fakeScanner();
    for (const body of ["<html/>", "", "{}"]) {
      scanner.instead.set("GET ScannerCapabilities", [{ status: 200, body }]);
      await expect(openRig(scanner.port)).rejects.toMatchObject({ kind: "device_fault" });
    }
    scanner.instead.set("GET ScannerCapabilities", [{ status: 404 }]);
    let closed = 0;
    const counting = countClosing(scanner.port, () => {
      closed += 1;
    });
    await expect(openRig(scanner.port, {}, counting)).rejects.toMatchObject({ kind: "device_fault", hint: expect.stringMatching(/eSCL/) });
    expect(closed).toBe(1);
    scanner.instead.set("GET ScannerCapabilities", ["hang"]);
    await expect(openRig(scanner.port)).rejects.toMatchObject({ kind: "device_fault", message: "the scanner does not answer" });
    scanner.instead.clear();
    scanner.instead.set("GET ScannerStatus", [{ status: 503 }]);
    await using rig = await openRig(scanner.port);
    expect(rig.device.identity.model).toBeDefined();
  });

  it("leaves nothing behind when the signal aborts before, in the middle of the opening, or later", async () => {
    const reason = new DeviceError("shutting_down");
    await using scanner = await fakeScanner();
    let closed = 0;
    const counting = countClosing(scanner.port, () => {
      closed += 1;
    });
    await expect(openRig(scanner.port, {}, counting, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(closed).toBe(0);
    for (const step of ["GET ScannerCapabilities", "GET ScannerStatus"]) {
      const ending = new AbortController();
      scanner.instead.set(step, ["hang"]);
      void scanner.asked(step).then(() => ending.abort(reason));
      closed = 0;
      await expect(openRig(scanner.port, {}, counting, ending.signal)).rejects.toBe(reason);
      expect(closed).toBeGreaterThan(0);
      scanner.instead.delete(step);
    }
    const ending = new AbortController();
    await using rig = await openRig(scanner.port, {}, counting, ending.signal);
    ending.abort(reason);
    expect(await rig.device.lost).toMatchObject({ kind: "device_absent" });
  });

  it("tells how the scanner is, once for each change", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port, { pollMs: 1_000 });
    const polled = async (): Promise<void> => {
      await scanner.asked("GET ScannerStatus");
      await scanner.asked("GET ScannerStatus");
    };
    for (const adfState of ["ScannerAdfJam", "ScannerAdfHatchOpen", "ScannerAdfLoaded"]) {
      scanner.adfState = adfState;
      await polled();
    }
    Object.assign(scanner, { state: "Down" });
    await polled();
    const told = rig.conditions.map((condition) => (condition.state === "ready" ? "ready" : `${condition.state} ${condition.reason.kind}`));
    expect(told).toEqual(["ready", "attention document_jam", "attention cover_open", "ready", "attention device_fault"]);
  });

  it("is lost after several questions without an answer, not after one", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port, { pollMs: 1_000 });
    // One miss, and one that says that it has no time.
    scanner.instead.set("GET ScannerStatus", [{ status: 500 }, { status: 500 }, { status: 503 }, { status: 500 }, { status: 500 }]);
    for (let polls = 0; polls < 3; polls++) await scanner.asked("GET ScannerStatus");
    scanner.instead.clear();
    scanner.pages = [jpeg()];
    expect(await rig.scan()).toEqual({ state: "done" });
    await scanner.stop();
    expect(await rig.device.lost).toMatchObject({ kind: "device_absent" });
    await expect(rig.scan()).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("says so where the scanner vanishes in the middle of a scan", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port, { pollMs: 1_000 });
    scanner.instead.set("GET NextDocument", [{ status: 200, body: jpeg() }, "hang"]);
    scanner.adfState = "ScannerAdfLoaded";
    void scanner.asked("GET NextDocument").then(() => scanner.asked("GET NextDocument").then(() => scanner.stop()));
    expect(await rig.scan()).toMatchObject({ state: "broken_off", reason: { kind: "device_absent" } });
    expect(await rig.device.lost).toMatchObject({ kind: "device_absent" });
  });
});
