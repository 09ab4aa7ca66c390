import sharp from "sharp";
import { expect, it } from "vitest";
import { openScanner, pageNumber, scan } from "./client.test.support.js";

const three = { sheets: [{}, {}, {}] };

it("a page comes cut off, too long, too short, slow, damaged, or is none at all", async () => {
  await using bench = await openScanner({ sheets: Array.from({ length: 7 }, () => ({})) });
  const path = await bench.job();
  await bench.inject("cut");
  const cut = await bench.next(path);
  expect([cut.status, cut.whole, cut.body.length < cut.declaredBytes]).toEqual([200, false, true]);
  await bench.inject("short-length");
  const short = await bench.next(path).catch(() => undefined);
  expect(
    short?.whole &&
      (await sharp(short.body, { failOn: "warning" })
        .stats()
        .catch(() => false)),
  ).toBeFalsy();
  await bench.inject("huge-body", { bytes: 3_000_000 });
  expect((await bench.next(path)).body.length).toBeGreaterThan(3_000_000);
  await bench.inject("slow", { ms: 1 });
  expect(await pageNumber((await bench.next(path)).body, 75)).toBe(4);
  await bench.inject("damaged-jpeg");
  const damaged = (await bench.next(path)).body;
  await expect(sharp(damaged, { failOn: "warning" }).stats()).rejects.toThrow();
  await bench.inject("garbage-page");
  expect((await bench.next(path)).body.toString()).toContain("<html>");
  expect(await pageNumber((await bench.next(path)).body, 75)).toBe(7);
});

it("a page never comes, is gone, is not there yet, or jams", async () => {
  await using bench = await openScanner(three);
  const path = await bench.job();
  await bench.inject("unavailable", { times: 2 });
  expect([(await bench.next(path)).status, (await bench.next(path)).status]).toEqual([503, 503]);
  await bench.inject("hang", { page: 1 });
  const given = new AbortController();
  const hanging = bench.ask("GET", `${path}/NextDocument`, undefined, given.signal);
  // Others are answered meanwhile; only what hangs, hangs.
  while (bench.simulator.state().faultsPending !== 0) await bench.ask("GET", "/eSCL/ScannerStatus");
  given.abort();
  await expect(hanging).rejects.toThrow();
  expect(await pageNumber((await bench.next(path)).body, 75)).toBe(1);
  await bench.inject("jam", { page: 2 });
  expect((await bench.next(path)).status).toBe(409);
  expect(bench.simulator.state()).toMatchObject({ jammed: true, sheets: 1, scanning: null });
  await bench.act("clearJam");
  await bench.inject("gone");
  const again = await bench.job();
  expect((await bench.next(again)).status).toBe(410);
  expect(bench.simulator.state()).toMatchObject({ sheets: 1, scanning: null });
});

it("a job is refused, or its Location is elsewhere or nowhere", async () => {
  await using bench = await openScanner(three);
  const post = () => bench.ask("POST", "/eSCL/ScanJobs", scan());
  await bench.inject("busy");
  expect((await post()).status).toBe(503);
  await bench.inject("error", { on: "job", code: 507 });
  expect((await post()).status).toBe(507);
  await bench.inject("foreign-location");
  const { location } = await post();
  expect(location).toMatch(/^http:\/\/192\.0\.2\.77\/eSCL\/ScanJobs\//);
  await bench.ask("DELETE", new URL(location ?? "").pathname);
  await bench.inject("no-location");
  expect(await post()).toMatchObject({ status: 201, location: undefined });
});

it("XML comes broken, an error instead of it, and the feeder never ends", async () => {
  await using bench = await openScanner(three);
  await bench.inject("garbage-xml", { on: "status" });
  expect((await bench.ask("GET", "/eSCL/ScannerCapabilities")).body.toString()).toMatch(/<\/scan:ScannerCapabilities>\s*$/);
  expect((await bench.ask("GET", "/eSCL/ScannerStatus")).body.toString()).not.toContain("</scan:ScannerStatus>");
  await bench.inject("error", { on: "capabilities" });
  expect((await bench.ask("GET", "/eSCL/ScannerCapabilities")).status).toBe(500);
  await bench.inject("endless", { times: 20 });
  const path = await bench.job();
  const numbers: number[] = [];
  for (let page = 0; page < 9; page++) numbers.push(await pageNumber((await bench.next(path)).body, 75));
  expect(numbers).toEqual([1, 2, 3, 3, 3, 3, 3, 3, 3]);
  await bench.act("clearFaults");
  expect(bench.simulator.state().faultsPending).toBe(0);
});

it("runs with faults from the beginning", async () => {
  await using bench = await openScanner({ ...three, faults: [{ fault: "jam", page: 2 }] });
  const path = await bench.job();
  expect([(await bench.next(path)).status, (await bench.next(path)).status]).toEqual([200, 409]);
});
