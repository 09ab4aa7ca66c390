import { describe, expect, it } from "vitest";
import { DeviceError } from "../../../kernel/errors.js";
import { jpeg } from "./documents.test.support.js";
import { A4, type Answer, fakeScanner, never, openRig } from "./rig.test.support.js";

const reason = new DeviceError("canceled");

/** At each of these the scanner has just been asked, and never answers. */
const STEPS = ["GET ScannerStatus", "POST ScanJobs", "GET NextDocument", "GET ScanImageInfo", "DELETE 7"] as const;

describe("a scan that nobody wants any more", () => {
  it.each(STEPS)("ends at once while the scanner is asked for %s, and hangs", async (step) => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port, { busyMs: 1_000 });
    scanner.pages = [jpeg()];
    scanner.instead.set(step, ["hang"]);
    const caller = new AbortController();
    const asked = scanner.asked(step).then(() => caller.abort(reason));
    const ended = rig.scan({ source: "flatbed" }, caller.signal).then(
      ({ state }) => state,
      (thrown: unknown) => thrown,
    );
    await asked;
    const before = rig.clock.monotonicMs();
    expect(await ended).toBe(step === "DELETE 7" ? "done" : reason);
    // Of any deadline of the driver's nothing had run out.
    expect(rig.clock.monotonicMs() - before).toBeLessThan(1_000);
    // The next one works as soon as the scanner does.
    scanner.instead.delete(step);
    scanner.pages = [jpeg()];
    expect(await rig.scan({ source: "flatbed" })).toEqual({ state: "done" });
  });

  it("is deleted on the scanner", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port);
    scanner.instead.set("GET NextDocument", ["hang"]);
    const caller = new AbortController();
    const deleted = scanner.asked("DELETE 7");
    void scanner.asked("GET NextDocument").then(() => caller.abort(reason));
    await expect(rig.scan({}, caller.signal)).rejects.toBe(reason);
    await deleted;
  });

  it("is deleted on the scanner where that tells only afterwards what it has begun", async () => {
    await using scanner = await fakeScanner();
    const caller = new AbortController();
    await using rig = await openRig(scanner.port);
    // The abort comes while the answer is on its way.
    void scanner.asked("POST ScanJobs").then(() => caller.abort(reason));
    const deleted = scanner.asked("DELETE 7");
    await expect(rig.scan({}, caller.signal)).rejects.toBe(reason);
    await deleted;
    expect(scanner.heard).not.toContain("GET NextDocument");
  });

  it("ends while nobody takes its page, and while it waits for a page that is not ready", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port);
    scanner.pages = [jpeg()];
    const caller = new AbortController();
    const page = (): Promise<void> => {
      caller.abort(reason);
      return new Promise(() => {});
    };
    await expect(rig.device.scan(A4, { progress() {}, page }, caller.signal)).rejects.toBe(reason);
    scanner.instead.set("GET NextDocument", [{ status: 503, headers: { "retry-after": "9" } }]);
    const again = new AbortController();
    void scanner.asked("GET NextDocument").then(() => again.abort(reason));
    await expect(rig.scan({}, again.signal)).rejects.toBe(reason);
    await expect(rig.scan({}, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it("lets the next one wait for a while, then that one is told that the scanner is busy", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port);
    scanner.instead.set("GET NextDocument", ["hang"]);
    const caller = new AbortController();
    void scanner.asked("GET NextDocument").then(() => caller.abort(reason));
    await expect(rig.scan({}, caller.signal)).rejects.toBe(reason);
    scanner.state = "Processing";
    scanner.instead.set("POST ScanJobs", [{ status: 503 }]);
    await expect(rig.scan()).rejects.toMatchObject({ kind: "busy" });
    scanner.instead.clear();
    scanner.pages = [jpeg()];
    expect(await rig.scan()).toEqual({ state: "done" });
  });

  it("is deleted before the next one begins", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port);
    let answer: (given: Answer) => void = () => {};
    const deletion = new Promise<Answer>((resolve) => {
      answer = resolve;
    });
    scanner.instead.set("DELETE 7", [deletion]);
    scanner.pages = [jpeg()];
    expect(await rig.scan()).toEqual({ state: "done" });
    scanner.pages = [jpeg()];
    const next = rig.scan();
    await rig.clock.sleep(1_000);
    expect(scanner.heard.filter((what) => what === "POST ScanJobs")).toHaveLength(1);
    answer({ status: 200 });
    expect(await next).toEqual({ state: "done" });
  });

  it("is deleted when the device is closed in the middle of it", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port);
    scanner.instead.set("GET NextDocument", ["hang"]);
    const asked = scanner.asked("GET NextDocument");
    const scanning = rig.scan().catch((thrown: unknown) => thrown);
    await asked;
    await rig.device.close();
    expect(await scanning).toMatchObject({ kind: "device_absent" });
    expect(scanner.heard.at(-1)).toBe("DELETE 7");
    await expect(rig.scan({}, never)).rejects.toMatchObject({ kind: "device_absent" });
  });
});
