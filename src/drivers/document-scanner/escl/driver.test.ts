import { describe, expect, it } from "vitest";
import { DeviceError } from "../../../kernel/errors.js";
import { CANON_5300, capabilitiesXml, imageInfoXml, jpeg } from "./documents.test.support.js";
import { A4, fakeScanner, openRig } from "./rig.test.support.js";

describe("a scan", () => {
  it("of the feeder gives its pages in order, until it is empty", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port);
    scanner.adfState = "ScannerAdfLoaded";
    scanner.pages = [jpeg(64, 1), jpeg(64, 2), jpeg(64, 3)];
    expect(await rig.scan()).toEqual({ state: "done" });
    expect(rig.pages.map(({ bytes, mediaType, resolutionDpi }) => [bytes[9], mediaType, resolutionDpi])).toEqual([
      [1, "image/jpeg", 300],
      [2, "image/jpeg", 300],
      [3, "image/jpeg", 300],
    ]);
    await scanner.asked("DELETE 7");
    const next = Array.from({ length: 4 }, () => "GET NextDocument");
    const opening = ["GET ScannerCapabilities", "GET ScannerStatus"];
    expect(scanner.heard).toEqual([...opening, "GET ScannerStatus", "POST ScanJobs", ...next, "GET ScannerStatus", "DELETE 7"]);
    expect(scanner.settings[0]).toMatch(/<pwg:InputSource>Feeder<.*<scan:XResolution>300<.*<scan:ColorMode>RGB24</);
  });

  it("of the glass gives one page, at the resolution that it really has", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port);
    scanner.pages = [jpeg(), jpeg()];
    expect(await rig.scan({ resolutionDpi: 280 })).toEqual({ state: "done" });
    scanner.pages = [jpeg()];
    expect(await rig.scan({ resolutionDpi: 600 })).toEqual({ state: "done" });
    expect(rig.pages.map(({ resolutionDpi }) => resolutionDpi)).toEqual([300, 300]);
    scanner.pages = [jpeg()];
    scanner.instead.set("GET ScanImageInfo", [{ status: 404 }]);
    await rig.scan({ resolutionDpi: 600 });
    scanner.pages = [jpeg()];
    scanner.instead.set("GET ScanImageInfo", [{ status: 200, body: "?" }]);
    await rig.scan({ resolutionDpi: 600 });
    expect(rig.pages.slice(2).map(({ resolutionDpi }) => resolutionDpi)).toEqual([600, 600]);
    expect(scanner.settings.every((settings) => settings.includes("Platen"))).toBe(true);
  });

  it("ends at as many pages as were asked for, and deletes the rest", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port);
    scanner.adfState = "ScannerAdfLoaded";
    scanner.pages = Array.from({ length: 5 }, () => jpeg());
    const deleted = scanner.asked("DELETE 7");
    expect(await rig.scan({ source: "feeder_duplex", maxPages: 2 })).toEqual({ state: "done" });
    await deleted;
    expect(rig.pages).toHaveLength(2);
    expect(scanner.pages).toHaveLength(3);
    expect(scanner.settings[0]).toContain("<scan:Duplex>true</scan:Duplex>");
  });

  it("shows how much of a page has come, where the scanner says how long it is", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port);
    scanner.pages = [jpeg(3_000_000)];
    await rig.scan();
    expect(rig.progress[0]).toBeUndefined();
    const told = rig.progress.slice(1).map(Number);
    expect(told.at(-1)).toBe(1);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    rig.progress.length = 0;
    scanner.instead.set("GET NextDocument", [{ status: 200, headers: { "transfer-encoding": "chunked" }, body: jpeg(9_000) }]);
    await rig.scan();
    expect(rig.progress.every((fraction) => fraction === undefined)).toBe(true);
  });

  it("takes pages of more than the link's usual four megabytes, and no more than sixty", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port, { pageMs: 900_000 });
    scanner.pages = [jpeg(20 * 1024 * 1024)];
    await rig.scan();
    expect(rig.pages[0]?.bytes.length).toBe(20 * 1024 * 1024);
    scanner.pages = [jpeg(61 * 1024 * 1024)];
    await expect(rig.scan()).rejects.toMatchObject({ kind: "too_large" });
  });

  it("waits with the next page until there is room, and ends where no more is wanted", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port);
    scanner.adfState = "ScannerAdfLoaded";
    scanner.pages = [jpeg(), jpeg(), jpeg()];
    let release: () => void = () => {};
    const taken: number[] = [];
    const reason = new DeviceError("too_large");
    const page = async (): Promise<void> => {
      taken.push(scanner.heard.filter((what) => what === "GET NextDocument").length);
      if (taken.length === 2) throw reason;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    };
    const scanning = rig.device.scan(A4, { progress() {}, page }, new AbortController().signal);
    while (taken.length === 0) await rig.clock.sleep(100);
    await rig.clock.sleep(5_000);
    expect(taken).toEqual([1]);
    release();
    expect(await scanning).toEqual({ state: "broken_off", reason });
    expect(taken).toEqual([1, 2]);
  });

  it("goes one at a time", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port);
    scanner.pages = [jpeg()];
    const first = rig.scan();
    await expect(rig.scan()).rejects.toMatchObject({ kind: "busy" });
    expect(await first).toEqual({ state: "done" });
  });

  it("is refused before anything moves where the scanner cannot do it", async () => {
    await using scanner = await fakeScanner();
    scanner.capabilities = capabilitiesXml(CANON_5300);
    await using rig = await openRig(scanner.port);
    for (const order of [{ source: "feeder" }, { heightMm: 355.6 }, { resolutionDpi: 2_400 }] as const) {
      await expect(rig.scan(order)).rejects.toMatchObject({ kind: "unsupported" });
    }
    expect(scanner.heard).not.toContain("POST ScanJobs");
  });

  it("is found below another path, with a query of its own", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port, { path: "/scan/eSCL" });
    const [kept, deleted] = [scanner.asked("GET NextDocument?key=1"), scanner.asked("DELETE 9?key=1")];
    scanner.instead.set("POST ScanJobs", [{ status: 201, headers: { location: "/elsewhere/9/?key=1" } }]);
    scanner.instead.set("GET NextDocument?key=1", [{ status: 200, body: jpeg() }]);
    scanner.instead.set("GET ScanImageInfo?key=1", [{ status: 200, body: imageInfoXml(2480, 3508) }]);
    expect(await rig.scan()).toEqual({ state: "done" });
    await Promise.all([kept, deleted]);
  });
});
