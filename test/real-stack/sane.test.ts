import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { openScanner, pageNumber } from "../../simulators/document-scanner/client.test.support.js";
import { DeviceError } from "../../src/kernel/errors.js";
import { openSane, order, pictureOf, pngOf, processesIn, scanWith } from "./sane.test.support.js";

const run = promisify(execFile);
const installed = await run("scanimage", ["--version"]).then(
  () => true,
  () => false,
);
const airscan = existsSync("/etc/sane.d/airscan.conf");
if (!(installed && airscan) && process.env.STATIOND_REAL_STACK === "required")
  throw new RangeError("STATIOND_REAL_STACK=required, but sane-utils or sane-airscan is not installed");
if (!installed) console.warn("SKIPPED: the SANE test backend, because sane-utils is not installed");
if (!airscan) console.warn("SKIPPED: network scanners through SANE, because sane-airscan is not installed");

const testBackend = { backends: ["test"], device: "test" };

describe.skipIf(!installed)("SANE's test backend", () => {
  it("says what it can, and scans grey and colour from the glass, one page each", async () => {
    await using bench = await openSane(testBackend);
    expect(bench.scanner.identity).toEqual({ vendor: "Noname", model: "frontend-tester" });
    expect(bench.scanner.capabilities).toMatchObject({
      sources: ["flatbed", "feeder"],
      flatbed: { resolutionsDpi: { min: 1, max: 1200 } },
      feeder: { resolutionsDpi: { min: 1, max: 1200 } },
    });
    const gray = await scanWith(bench, order({ mode: "gray" }));
    expect(gray.end).toEqual({ state: "done" });
    expect(gray.pages.map(pictureOf)).toEqual([{ magic: "P5", width: 413, height: 582 }]);
    const color = await scanWith(bench, order({ mode: "color", maxPages: 5 }));
    expect(color.pages.map(pictureOf)).toEqual([{ magic: "P6", width: 413, height: 582 }]);
    expect(color.pages[0]?.resolutionDpi).toBe(100);
    expect(Math.max(...color.fractions)).toBeGreaterThan(0.5);
    expect(await bench.scanner.selfTest(new AbortController().signal)).toEqual([{ check: "scanner can be opened", ok: true }]);
    expect(await readdir(bench.folder)).toEqual([]);
  });

  it("scans a feeder of ten pages until it is empty, or as many as are wanted; then the feeder is empty", async () => {
    await using bench = await openSane(testBackend);
    const all = await scanWith(bench, order({ source: "feeder", maxPages: 50, mode: "gray" }));
    expect([all.end.state, all.pages.length]).toEqual(["done", 10]);
    const three = await scanWith(bench, order({ source: "feeder", maxPages: 3, mode: "gray" }));
    expect([three.end.state, three.pages.length]).toEqual(["done", 3]);
  });

  it.each([
    ["UNSUPPORTED", "unsupported"],
    ["CANCELLED", "device_fault"],
    ["DEVICE_BUSY", "busy"],
    ["INVAL", "unsupported"],
    ["EOF", "device_fault"],
    ["JAMMED", "document_jam"],
    ["NO_DOCS", "scan_empty"],
    ["COVER_OPEN", "cover_open"],
    ["IO_ERROR", "device_fault"],
    ["NO_MEM", "device_fault"],
    ["ACCESS_DENIED", "device_fault"],
  ])(
    "%s is %s",
    async (status, kind) => {
      await using bench = await openSane(testBackend, { options: { "read-return-value": `SANE_STATUS_${status}` } });
      await expect(scanWith(bench, order({}))).rejects.toMatchObject({ kind });
      // Where scanimage hung after its last word, it is still being stopped.
      while ((await processesIn(bench.folder)).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await readdir(bench.folder)).toEqual([]);
    },
    60_000,
  );

  it("refuses what the scanner cannot, before anything moves, and settings that its backend has not", async () => {
    await using bench = await openSane(testBackend);
    await expect(scanWith(bench, order({ source: "feeder_duplex" }))).rejects.toMatchObject({ kind: "unsupported" });
    await expect(scanWith(bench, order({ resolutionDpi: 2_400 }))).rejects.toMatchObject({ kind: "unsupported" });
    // An option of scanimage itself would write where it is told to.
    await expect(openSane(testBackend, { options: { "output-file": "x" } })).rejects.toMatchObject({ kind: "unsupported" });
    await expect(openSane({ ...testBackend, device: "test:7" })).rejects.toMatchObject({ kind: "device_absent" });
    await expect(openSane({ backends: ["test"] })).rejects.toMatchObject({
      kind: "device_fault",
      details: { scanners: ["test:0", "test:1"] },
    });
  });

  it("cancelled in mid-page it answers at once, scans again, and leaves neither process nor file", async () => {
    const slow = { options: { "read-delay": true, "read-delay-duration": 200_000 } };
    const bench = await openSane(testBackend, slow);
    const cancel = new AbortController();
    const reason = new DeviceError("canceled");
    const scanning = scanWith(bench, order({ mode: "color", resolutionDpi: 300 }), {
      signal: cancel.signal,
      onProgress: () => cancel.abort(reason),
    });
    await expect(scanning).rejects.toBe(reason);
    const again = new AbortController();
    const second = scanWith(bench, order({ mode: "color", resolutionDpi: 300 }), {
      signal: again.signal,
      onProgress: () => again.abort(reason),
    });
    await expect(second).rejects.toBe(reason);
    await bench.scanner.close();
    expect(await processesIn(bench.folder)).toEqual([]);
    expect(existsSync(bench.folder)).toBe(false);
  });

  it("no word of a device's name is obeyed", async () => {
    await using bench = await openSane(testBackend);
    const said: string[] = [];
    for (const name of ["TEST; touch x#", "$(touch x)", "`touch x`", "test:0\ntouch x", "| touch x"]) {
      const end = await bench.link.run(
        [`--device-name=${name}`, "--dont-scan"],
        { stderr: (line) => said.push(line) },
        new AbortController().signal,
      );
      expect(end.code).not.toBe(0);
    }
    expect(said.join()).toContain("TEST; touch x#");
    expect(await readdir(bench.folder)).toEqual([]);
  });
});

describe.skipIf(!airscan)("an agent that is killed", () => {
  /** Scans in a process of its own, which is killed in the middle; where its pages were. */
  const killed = async (link: object, config: object, when: "progress" | "begun", ready?: () => Promise<void>): Promise<string> => {
    const agent = spawn(process.execPath, [fileURLToPath(new URL("sane-agent.js", import.meta.url)), JSON.stringify({ link, config })], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const told = createInterface(agent.stdout)[Symbol.asyncIterator]();
    const folder = String((await told.next()).value);
    for (let line = ""; line !== when; ) line = String((await told.next()).value);
    await ready?.();
    expect(await processesIn(folder)).not.toEqual([]);
    const gone = once(agent, "exit");
    agent.kill("SIGKILL");
    await gone;
    return folder;
  };
  const untilGone = async (folder: string): Promise<void> => {
    while ((await processesIn(folder)).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  };

  it("leaves no scanimage behind, neither at work nor hung, and no file longer than until the next opening", async () => {
    await using simulated = await openScanner({ sheets: [{}, {}] });
    await simulated.inject("hang");
    await simulated.inject("hang", { on: "cancel" });
    const network = [{ name: "Sim", url: `http://127.0.0.1:${simulated.port}/eSCL` }];
    const slow = { options: { "read-delay": true, "read-delay-duration": 200_000 } };
    const hung = async (): Promise<void> => {
      while (simulated.simulator.state().faultsPending !== 1) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    const folders = [await killed(testBackend, slow, "progress"), await killed({ network }, {}, "begun", hung)];
    await Promise.all(folders.map(untilGone));
    await using bench = await openSane(testBackend);
    expect(folders.filter((folder) => existsSync(dirname(folder)))).toEqual([]);
    expect(existsSync(bench.folder)).toBe(true);
  });
});

describe.skipIf(!airscan)("a network scanner through sane-airscan", () => {
  const openAt = (port: number, config: object = {}) =>
    openSane({ network: [{ name: "Sim", url: `http://127.0.0.1:${port}/eSCL` }] }, config);
  const feeder = order({ source: "feeder", maxPages: 20, resolutionDpi: 75 });
  const sheets = (count: number): object[] => Array.from({ length: count }, () => ({}));

  it("scans the glass, the feeder in its order, both sides, and what there is", async () => {
    await using simulated = await openScanner({ sheets: sheets(3), glass: { number: 99 } });
    await using bench = await openAt(simulated.port);
    expect(bench.scanner.capabilities).toMatchObject({ sources: ["flatbed", "feeder", "feeder_duplex"] });
    const numbers = async (wish: Parameters<typeof order>[0]): Promise<number[]> => {
      const { pages, end } = await scanWith(bench, order({ resolutionDpi: 75, widthMm: 210, heightMm: 297, maxPages: 20, ...wish }));
      expect(end).toEqual({ state: "done" });
      return await Promise.all(pages.map(async (page) => pageNumber(await pngOf(page), 75)));
    };
    expect(await numbers({ source: "auto" })).toEqual([1, 2, 3]);
    expect(await numbers({ source: "auto", mode: "gray" })).toEqual([99]);
    await simulated.act("loadFeeder", { sheets: [{ back: {} }, {}] });
    expect(await numbers({ source: "feeder_duplex" })).toEqual([1, 2, 3, 0]);
  });

  it.each([
    ["empty", {}, [], "feeder_empty", 0],
    ["busy", { sheets: sheets(2) }, [{ fault: "busy", times: 1_000_000 }], "busy", 0],
    ["jam at the first page", { sheets: sheets(3) }, [{ fault: "jam" }], "document_jam", 0],
    ["jam at the third page", { sheets: sheets(3) }, [{ fault: "jam", page: 3 }], "document_jam", 2],
    ["cut off in the first page", { sheets: sheets(3) }, [{ fault: "cut" }], "device_fault", 0],
    ["cut off in the second page", { sheets: sheets(3) }, [{ fault: "cut", page: 2 }], "device_fault", 1],
    ["no picture", { sheets: sheets(2) }, [{ fault: "garbage-page" }], "device_fault", 0],
    ["job gone", { sheets: sheets(2) }, [{ fault: "gone", page: 2 }], "device_fault", 1],
    // sane-airscan asks for the status then, and hears of its own job.
    ["error of the server", { sheets: sheets(2) }, [{ fault: "error" }], "busy", 0],
  ] as const)("%s", async (_name, options, faults, kind, pages) => {
    await using simulated = await openScanner(options);
    await using bench = await openAt(simulated.port);
    for (const { fault, ...more } of faults as readonly { fault: string }[]) await simulated.inject(fault, more);
    const scanned: Uint8Array[] = [];
    const outcome = await scanWith(bench, feeder, { onPage: ({ bytes }) => scanned.push(bytes) }).then(
      ({ end }) => (end.state === "broken_off" ? end.reason : undefined),
      (thrown) => thrown as DeviceError,
    );
    expect([outcome?.kind, scanned.length]).toEqual([kind, pages]);
    expect(await readdir(bench.folder)).toEqual([]);
  });

  it("cover open, then closed, then gone", async () => {
    await using simulated = await openScanner({ sheets: sheets(2), hatchWord: "ScannerAdfDoorOpen" });
    await using bench = await openAt(simulated.port);
    await simulated.act("openCover");
    await expect(scanWith(bench, feeder)).rejects.toMatchObject({ kind: "cover_open" });
    await simulated.act("closeCover");
    expect((await scanWith(bench, feeder)).pages.length).toBe(2);
    await simulated.act("unplug");
    await expect(scanWith(bench, feeder)).rejects.toMatchObject({ kind: "device_absent" });
    expect(await bench.scanner.lost).toMatchObject({ kind: "device_absent" });
  });

  it("hangs: the driver gives up, or the caller does, without waiting for the scanner", async () => {
    await using simulated = await openScanner({ sheets: sheets(2) });
    const bench = await openAt(simulated.port, { silenceMs: 1_500 });
    await simulated.inject("hang");
    await expect(scanWith(bench, feeder)).rejects.toMatchObject({ kind: "device_fault", message: "the scanner says nothing any more" });
    await simulated.act("reset");
    await simulated.inject("hang");
    await simulated.inject("hang", { on: "cancel" });
    const cancel = new AbortController();
    const reason = new DeviceError("canceled");
    const scanning = scanWith(bench, feeder, { signal: cancel.signal });
    while (simulated.simulator.state().faultsPending !== 1) await new Promise((resolve) => setTimeout(resolve, 10));
    cancel.abort(reason);
    await expect(scanning).rejects.toBe(reason);
    await bench.scanner.close();
    expect(await processesIn(bench.folder)).toEqual([]);
    expect(existsSync(bench.folder)).toBe(false);
  });
});
