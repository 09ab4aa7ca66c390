import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { type Answer, openScanner, pageNumber, type ScannerBench, scan } from "./client.test.support.js";

const statusOf = async (bench: ScannerBench): Promise<{ state: string; adf: string | undefined }> => {
  const { body } = await bench.ask("GET", "/eSCL/ScannerStatus");
  const text = body.toString();
  return { state: /<pwg:State>(\w+)</.exec(text)?.[1] ?? "", adf: /<scan:AdfState>(\w+)</.exec(text)?.[1] };
};
/** Statuses of the answers until there are no more pages, and the numbers on the pages. */
const fetchAll = async (bench: ScannerBench, path: string): Promise<{ numbers: number[]; end: number }> => {
  const numbers: number[] = [];
  for (;;) {
    const { status, body } = await bench.next(path);
    if (status !== 200) return { numbers, end: status };
    numbers.push(await pageNumber(body, 75));
  }
};
const sheets = (count: number): object[] => Array.from({ length: count }, () => ({}));

describe("capabilities and status", () => {
  it("tells its sources, resolutions and colours, and leaves out what it has not", async () => {
    await using bench = await openScanner({ resolutions: [150, 300] });
    const all = (await bench.ask("GET", "/eSCL/ScannerCapabilities")).body.toString();
    for (const part of [
      "PlatenInputCaps",
      "AdfSimplexInputCaps",
      "AdfDuplexInputCaps",
      "<scan:XResolution>150<",
      ">RGB24<",
      ">Grayscale8<",
    ])
      expect(all).toContain(part);
    await using plain = await openScanner({ feeder: false });
    const less = (await plain.ask("GET", "/eSCL/ScannerCapabilities")).body.toString();
    expect(less).not.toContain("Adf");
    expect(await statusOf(plain)).toEqual({ state: "Idle", adf: undefined });
  });

  it("tells of paper, jam, cover and work", async () => {
    await using bench = await openScanner();
    expect(await statusOf(bench)).toEqual({ state: "Idle", adf: "ScannerAdfEmpty" });
    await bench.act("loadFeeder", { sheets: sheets(2) });
    expect((await statusOf(bench)).adf).toBe("ScannerAdfLoaded");
    const path = await bench.job();
    expect((await statusOf(bench)).state).toBe("Processing");
    await bench.act("jam");
    expect(await statusOf(bench)).toEqual({ state: "Stopped", adf: "ScannerAdfJam" });
    expect((await bench.next(path)).status).toBe(409);
    await bench.act("clearJam");
    await bench.act("openCover");
    expect((await statusOf(bench)).adf).toBe("ScannerAdfHatchOpen");
    expect((await bench.ask("POST", "/eSCL/ScanJobs", scan())).status).toBe(409);
    await bench.act("closeCover");
    expect((await fetchAll(bench, await bench.job())).numbers).toEqual([1, 2]);
  });
});

describe("scanning", () => {
  it("gives the feeder's sheets in their order, then 404, and is idle again", async () => {
    await using bench = await openScanner({ sheets: sheets(3) });
    expect(await fetchAll(bench, await bench.job())).toEqual({ numbers: [1, 2, 3], end: 404 });
    expect(await statusOf(bench)).toEqual({ state: "Idle", adf: "ScannerAdfEmpty" });
    expect((await bench.ask("POST", "/eSCL/ScanJobs", scan())).status).toBe(409);
    expect(bench.simulator.state()).toMatchObject({ pagesScanned: 3, scanning: null, sheets: 0 });
  });

  it("gives both sides of each sheet where it is asked to; a back that nobody wrote on is blank", async () => {
    await using bench = await openScanner({ sheets: [{ back: {} }, {}, { back: { number: 200 } }] });
    expect((await fetchAll(bench, await bench.job(scan({ Duplex: true })))).numbers).toEqual([1, 2, 3, 0, 4, 200]);
  });

  it("gives the page on the glass once for each job, and the lid where none lies there", async () => {
    await using bench = await openScanner({ glass: { number: 42 } });
    const settings = scan({ InputSource: "Platen" });
    expect(await fetchAll(bench, await bench.job(settings))).toEqual({ numbers: [42], end: 404 });
    await bench.act("layOnGlass", { page: { number: 7 } });
    expect((await fetchAll(bench, await bench.job(settings))).numbers).toEqual([7]);
    await bench.act("takeFromGlass");
    expect((await fetchAll(bench, await bench.job(settings))).numbers).toEqual([0]);
  });

  it("draws what was asked for: size, resolution, grey, blank, dirt, skew", async () => {
    const pages = [{ skewDegrees: 4 }, { blank: "clean" }, { blank: "dirty" }, {}];
    await using bench = await openScanner({ sheets: pages, lid: "black" });
    const region = { XOffset: 0, YOffset: 0, Width: 2480, Height: 3508 };
    const path = await bench.job(scan({ ...region, XResolution: 150, YResolution: 150, ColorMode: "Grayscale8" }));
    const darkest = async ({ body }: Answer, left: number, top: number, width: number, height: number): Promise<number> => {
      const grey = await sharp(body).extract({ left, top, width, height }).raw().toBuffer();
      return grey.reduce((least, value) => Math.min(least, value), 255);
    };
    const skewed = await bench.next(path);
    expect(await sharp(skewed.body).metadata()).toMatchObject({ format: "jpeg", width: 1240, height: 1754, density: 150, channels: 1 });
    // The lid shows in the corner that the sheet has left.
    expect(await darkest(skewed, 0, 0, 4, 4)).toBeLessThan(60);
    expect(await pageNumber(skewed.body, 150)).toBe(1);
    const [clean, dirty] = [await bench.next(path), await bench.next(path)];
    const middle = [100, 100, 1_000, 1_500] as const;
    expect(await darkest(clean, ...middle)).toBeGreaterThan(250);
    expect(await darkest(dirty, ...middle)).toBeLessThan(230);
    expect(await darkest(dirty, ...middle)).toBeGreaterThan(90);
    expect(await darkest(await bench.next(path), ...middle)).toBeLessThan(60);
  });

  it("one job at a time: another is refused with 503, until the first is deleted or forgotten", async () => {
    await using bench = await openScanner({ sheets: sheets(2), jobIdleMs: 300 });
    const path = await bench.job();
    expect((await bench.ask("POST", "/eSCL/ScanJobs", scan())).status).toBe(503);
    expect((await bench.ask("DELETE", path)).status).toBe(200);
    expect((await bench.next(path)).status).toBe(410);
    const forgotten = await bench.job();
    while ((await statusOf(bench)).state === "Processing") await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await bench.next(forgotten)).status).toBe(410);
    expect((await bench.ask("DELETE", "/eSCL/ScanJobs/nobody")).status).toBe(404);
  });

  it("refuses what it cannot, and what is no wish at all", async () => {
    await using bench = await openScanner({ sheets: sheets(1), duplex: false, resolutions: [75] });
    for (const wish of [
      { XResolution: 300, YResolution: 300 },
      { Duplex: true },
      { ColorMode: "BlackAndWhite1" },
      { Width: 9999 },
      { InputSource: "Camera" },
    ])
      expect([wish, (await bench.ask("POST", "/eSCL/ScanJobs", scan(wish))).status]).toEqual([wish, 409]);
    for (const body of ["", "{}", "\u0000\u00ff", scan({ Width: "wide" })])
      expect((await bench.ask("POST", "/eSCL/ScanJobs", body)).status).toBe(400);
    expect((await bench.ask("POST", "/eSCL/ScanJobs", "x".repeat(100_000))).status).toBe(413);
    expect((await bench.ask("GET", "/")).status).toBe(404);
    expect((await bench.ask("PUT", "/eSCL/ScannerStatus")).status).toBe(405);
    expect(bench.simulator.state()).toMatchObject({ unknownRequests: 2, scanning: null });
  });

  it("unplugged nobody answers, and it is as new after a reset", async () => {
    await using bench = await openScanner({ sheets: sheets(2) });
    await bench.job();
    await bench.act("unplug");
    await expect(bench.ask("GET", "/eSCL/ScannerStatus")).rejects.toThrow();
    expect(bench.simulator.state()).toMatchObject({ unplugged: true });
    await bench.act("plug");
    expect(bench.simulator.state()).toMatchObject({ unplugged: false });
    expect((await statusOf(bench)).state).toBe("Processing");
    await bench.act("reset");
    expect(await statusOf(bench)).toEqual({ state: "Idle", adf: "ScannerAdfLoaded" });
    expect(JSON.stringify(bench.simulator.state()).length).toBeLessThan(400);
  });
});
