import { describe, expect, it } from "vitest";
import { faultRow } from "../../../../test/support/fault.js";
import type { DocumentScanner, RawPage, ScanOrder } from "../../../contracts/document-scanner.js";
import { type ManualClock, manualClock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import { silentLog } from "../../../kernel/log.js";
import type { ProgramEnd, ProgramLink, ProgramOutput } from "../../../kernel/program.js";
import { seededRandom } from "../../../kernel/random.js";
import { sane } from "./driver.js";

/** One scan by the scanimage of a test: what it says and makes until it ends. Rejects where it is stopped. */
type Scan = (run: {
  readonly output: ProgramOutput;
  readonly args: readonly string[];
  /** Asks before page n; resolves with the answer. */
  prompt(page: number): Promise<void>;
  /** Makes a page and tells it. */
  page(page: number, bytes?: Uint8Array): void;
  readonly signal: AbortSignal;
}) => Promise<number>;

const OPTIONS = ["    --mode Color|Gray [Gray]", "    --resolution 75|300dpi [75]", "    --source Flatbed|ADF [Flatbed]"];
const PAGE = Uint8Array.from([...Buffer.from("P5\n1 1\n255\n"), 7]);
const order: ScanOrder = { source: "feeder", mode: "gray", resolutionDpi: 300, widthMm: 210, heightMm: 297, maxPages: 3 };

interface Rig {
  readonly scanner: DocumentScanner;
  readonly clock: ManualClock;
  readonly files: Map<string, Uint8Array>;
  readonly lists: number;
}

async function open(
  scan: Scan,
  more: { names?: () => readonly string[]; device?: string; config?: object; runs?: string[][] } = {},
): Promise<Rig> {
  const clock = manualClock();
  const files = new Map<string, Uint8Array>();
  let lists = 0;
  let running = false;
  const act = async (args: readonly string[], output: ProgramOutput, signal: AbortSignal): Promise<number> => {
    more.runs?.push([...args]);
    if (args[0] === "-f") {
      lists += 1;
      for (const name of (more.names ?? (() => ["sim:1"]))()) output.stdout?.(`${name}\tNobody\tScanBox`);
      return 0;
    }
    if (args.includes("--all-options")) {
      for (const line of OPTIONS) output.stdout?.(line);
      return 0;
    }
    let answered = (): void => {};
    output.begun?.(() => answered());
    return await scan({
      args,
      output,
      signal,
      prompt(page) {
        const answer = new Promise<void>((resolve, reject) => {
          answered = resolve;
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
        output.stderr?.(`Place document no. ${page} on the scanner.`);
        return answer;
      },
      page(page, bytes = PAGE) {
        files.set(`page${page}.pnm`, bytes);
        output.stdout?.(`page${page}.pnm`);
      },
    });
  };
  const link: ProgramLink = {
    description: "scanimage",
    folder: "/nowhere",
    device: more.device,
    async run(args, output, signal): Promise<ProgramEnd> {
      if (running) throw new DeviceError("busy");
      running = true;
      try {
        return { code: await act(args, output, signal), stopped: signal.aborted };
      } catch (thrown) {
        if (!signal.aborted) throw thrown;
        return { code: undefined, stopped: true };
      } finally {
        running = false;
      }
    },
    async take(name) {
      const file = files.get(name);
      files.delete(name);
      if (!file) throw new DeviceError("device_fault", { message: "there is no such file" });
      return file;
    },
    async close() {},
  };
  const scanner = await sane.open(sane.config.parse(more.config ?? {}), {
    device: "scanner",
    connect: async () => link,
    clock,
    random: seededRandom(1),
    log: silentLog,
    signal: new AbortController().signal,
    imaging: { draw: async () => [], png: async () => new Uint8Array() },
    simulated: false,
    report() {},
  });
  return {
    scanner,
    clock,
    files,
    get lists() {
      return lists;
    },
  };
}

const never = new AbortController().signal;
const taking = (pages: RawPage[]) => ({ progress() {}, page: async (page: RawPage) => void pages.push(page) });
const stopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

describe("a scan", () => {
  it("holds the scanner up while there is no room for another page", async () => {
    const events: string[] = [];
    const { scanner } = await open(async ({ prompt, page }) => {
      for (const number of [1, 2, 3]) {
        await prompt(number);
        events.push(`scanned ${number}`);
        page(number);
      }
      return 0;
    });
    let room = (): void => {};
    const scanning = scanner.scan(
      order,
      {
        progress() {},
        async page() {
          events.push("given");
          await new Promise<void>((resolve) => {
            room = resolve;
          });
        },
      },
      never,
    );
    for (let page = 1; page <= 3; page++) {
      while (events.length < page * 2) await new Promise((resolve) => setImmediate(resolve));
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(events.length).toBe(page * 2);
      room();
    }
    expect(await scanning).toEqual({ state: "done" });
    expect(events).toEqual([1, 2, 3].flatMap((page) => [`scanned ${page}`, "given"]));
  });

  it.each([
    ["a jam after two pages", 6, 2, { state: "broken_off", kind: "document_jam" }],
    ["a jam at once", 6, 0, { kind: "document_jam" }],
    ["a dry feeder after a page", 7, 1, { state: "done" }],
    ["an empty feeder", 7, 0, { kind: "feeder_empty" }],
    ["a good end without a page", 0, 0, { kind: "device_fault" }],
    ["a crash after a page", 134, 1, { state: "broken_off", kind: "device_fault" }],
  ] as const)("%s", async (_name, code, count, expected) => {
    const { scanner } = await open(async ({ prompt, page }) => {
      for (let number = 1; number <= count; number++) {
        await prompt(number);
        page(number);
      }
      return code;
    });
    const pages: RawPage[] = [];
    const outcome = await scanner.scan(order, taking(pages), never).then(
      (end) => (end.state === "done" ? { state: end.state } : { state: end.state, kind: end.reason.kind }),
      (thrown: DeviceError) => ({ kind: thrown.kind }),
    );
    expect([outcome, pages.length]).toEqual([expected, count]);
  });

  it("a damaged page breaks it off, and what was told after it is taken away", async () => {
    const { scanner, files } = await open(async ({ prompt, page, signal }) => {
      await prompt(1);
      page(1);
      await prompt(2);
      page(2, PAGE.subarray(0, 5));
      page(3);
      return await stopped(signal);
    });
    const pages: RawPage[] = [];
    expect(await scanner.scan(order, taking(pages), never)).toMatchObject({ state: "broken_off", reason: { kind: "device_fault" } });
    expect([pages.length, files.size]).toEqual([1, 0]);
  });

  it("what the receiver cannot take ends it", async () => {
    const { scanner } = await open(async ({ prompt, page, signal }) => {
      await prompt(1);
      page(1);
      return await stopped(signal);
    });
    const full = new DeviceError("too_large");
    await expect(scanner.scan(order, { progress() {}, page: () => Promise.reject(full) }, never)).rejects.toBe(full);
  });

  it("auto takes the glass where the feeder is empty, and says so where there is nothing either", async () => {
    const sources: string[] = [];
    let glass = true;
    const { scanner } = await open(async ({ args, prompt, page }) => {
      const source = args.find((one) => one.startsWith("--source")) ?? "";
      sources.push(source);
      await prompt(1);
      if (source === "--source=ADF" || !glass) return 7;
      page(1);
      return 0;
    });
    expect(await scanner.scan({ ...order, source: "auto" }, taking([]), never)).toEqual({ state: "done" });
    expect(sources).toEqual(["--source=ADF", "--source=Flatbed"]);
    glass = false;
    await expect(scanner.scan({ ...order, source: "auto" }, taking([]), never)).rejects.toMatchObject({ kind: "scan_empty" });
  });

  it("is given up where the scanner says nothing, but not while it is held up, and ends where its end hangs", async () => {
    let held = (): void => {};
    const { scanner, clock } = await open(
      async ({ prompt, page, output, signal }) => {
        await prompt(1);
        page(1);
        const going = prompt(2);
        going.catch(() => {});
        await going;
        for (let line = 0; line < 200; line++) output.stderr?.("Scanning page 1");
        output.stderr?.("scanimage: sane_read: Document feeder jammed");
        return await stopped(signal);
      },
      { config: { silenceMs: 10_000 } },
    );
    const scanning = scanner.scan(order, { progress() {}, page: () => new Promise((resolve) => (held = resolve)) }, never);
    await clock.advance(60_000);
    held();
    await clock.advance(2_999);
    await clock.advance(1);
    expect(await scanning).toMatchObject({ state: "broken_off", reason: { kind: "document_jam" } });
  });

  it("waits longer for an end where the work is done, and then says so", async () => {
    const { scanner, clock } = await open(async ({ prompt, page, output, signal }) => {
      await prompt(1);
      page(1);
      await prompt(2);
      output.stderr?.("scanimage: sane_start: Document feeder out of documents");
      output.stderr?.("Batch terminated, 1 page scanned");
      return await stopped(signal);
    });
    let ended = false;
    const scanning = scanner.scan(order, taking([]), never).finally(() => {
      ended = true;
    });
    await clock.advance(19_000);
    expect(ended).toBe(false);
    await clock.advance(1_000);
    expect(await scanning).toMatchObject({ state: "broken_off", reason: { kind: "device_fault" } });
  });

  faultRow({
    device: "documents",
    fault: "A USB scanner (SANE) hangs",
    sees: "`device_fault`",
    does: "ends its program, and everything that it started",
    bounds: ["saneSilence"],
  });
  it("silence is the scanner's fault", async () => {
    const { scanner, clock } = await open(async ({ prompt, output, signal }) => {
      await prompt(1);
      for (const told of ["12.1", "12.9", "x", "1000.0"]) output.stderr?.(`Progress: ${told}%`);
      return await stopped(signal);
    });
    const fractions: unknown[] = [];
    const scanning = scanner.scan(order, { progress: (fraction) => void fractions.push(fraction), page: async () => {} }, never);
    const refused = expect(scanning).rejects.toMatchObject({ kind: "device_fault" });
    await clock.advance(90_000);
    await refused;
    expect(fractions).toEqual([0.12]);
  });
});

describe("names", () => {
  faultRow({
    device: "documents",
    fault: "A USB scanner was plugged in again and has another name",
    sees: "nothing of it: `done`; `device_absent` where it is not there",
    does: "lists the scanners again and takes the one that is meant",
    back: "at once",
    bounds: ["tryAgain"],
  });
  it("are looked up again where the device cannot be opened; it is lost where it is not there", async () => {
    let names = ["sim:libusb:001:004"];
    const rig = await open(
      async ({ args, output, prompt, page }) => {
        if (args[0] !== `--device-name=${names[0]}`) {
          output.stderr?.(`scanimage: open of device ${args[0]} failed: Invalid argument`);
          return 1;
        }
        await prompt(1);
        page(1);
        return 0;
      },
      { names: () => names, device: "sim" },
    );
    names = ["sim:libusb:001:005"];
    expect(await rig.scanner.scan(order, taking([]), never)).toEqual({ state: "done" });
    expect(rig.lists).toBe(2);
    names = [];
    await expect(rig.scanner.scan(order, taking([]), never)).rejects.toMatchObject({ kind: "device_absent" });
    expect(await rig.scanner.lost).toMatchObject({ kind: "device_absent" });
  });

  it("that are none are not listened to, and several are one too many unless one is meant", async () => {
    const names = () => ["TEST; touch x#", "-h", "other:1", "sim:1", "sim:10"];
    const scan: Scan = async () => 0;
    const runs: string[][] = [];
    await expect(open(scan, { names })).rejects.toMatchObject({ details: { scanners: ["other:1", "sim:1", "sim:10"] } });
    await expect(open(scan, { names, device: "TEST" })).rejects.toMatchObject({ kind: "device_absent" });
    await open(scan, { names, device: "sim:10", runs });
    expect(runs.at(-1)).toEqual(["--device-name=sim:10", "--all-options"]);
    await expect(open(scan, { config: { options: { "output-file": "x" } } })).rejects.toMatchObject({ kind: "unsupported" });
    for (const options of [{ "a;b": 1 }, { mode: "x; touch y" }, { mode: "$(x)" }, { "-o": "x" }])
      expect(sane.config.safeParse({ options }).success).toBe(false);
  });
});

describe("an abort", () => {
  it("is answered at once; the next scan waits until scanimage is gone; closing ends what goes on", async () => {
    let gone = (): void => {};
    let scans = 0;
    const { scanner } = await open(async ({ prompt, page }) => {
      scans += 1;
      if (scans === 1) {
        prompt(1).catch(() => {});
        // It takes its time, whatever it is told.
        await new Promise<void>((resolve) => (gone = resolve));
        return 9;
      }
      await prompt(1);
      page(1);
      return 0;
    });
    const cancel = new AbortController();
    const reason = new DeviceError("canceled");
    const first = scanner.scan(order, taking([]), cancel.signal);
    while (scans === 0) await new Promise((resolve) => setImmediate(resolve));
    cancel.abort(reason);
    await expect(first).rejects.toBe(reason);
    const second = scanner.scan(order, taking([]), never);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(scans).toBe(1);
    gone();
    expect(await second).toEqual({ state: "done" });
    await scanner.close();
    await expect(scanner.scan(order, taking([]), never)).rejects.toMatchObject({ kind: "device_absent" });
  });
});
