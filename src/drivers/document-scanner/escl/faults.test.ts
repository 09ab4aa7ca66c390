import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { faultRow } from "../../../../test/support/fault.js";
import type { ScanEnd } from "../../../contracts/document-scanner.js";
import { DeviceError } from "../../../kernel/errors.js";
import { jpeg, utf8 } from "./documents.test.support.js";
import { type Answer, type FakeScanner, fakeScanner, openRig, type Rig } from "./rig.test.support.js";

const later: Answer = { status: 503, headers: { "retry-after": "1" } };
const gone: Answer = { status: 410 };
const fault: Answer = { status: 500 };
const page: Answer = { status: 200, body: jpeg() };

/** What it rejects with, or what it broke off with after so many pages. */
async function outcome(scanning: Promise<ScanEnd>): Promise<{ readonly kind: string; readonly rejected: boolean }> {
  try {
    const end = await scanning;
    return { kind: end.state === "done" ? "done" : end.reason.kind, rejected: false };
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(DeviceError);
    return { kind: (thrown as DeviceError).kind, rejected: true };
  }
}

/** Sheets in the feeder; what comes of it where, after `pages`, the scanner answers like this and then stands so. */
async function feed(
  pages: number,
  answers: readonly Answer[],
  then: Partial<Pick<FakeScanner, "state" | "adfState" | "jobs">> = {},
  config: object = {},
): Promise<{ kind: string; rejected: boolean; rig: Rig; scanner: FakeScanner }> {
  await using scanner = await fakeScanner();
  await using rig = await openRig(scanner.port, config);
  scanner.adfState = "ScannerAdfLoaded";
  scanner.instead.set("GET NextDocument", [...Array.from({ length: pages }, () => page), ...answers]);
  const deleted = scanner.asked("DELETE 7");
  void scanner.asked("POST ScanJobs").then(() => Object.assign(scanner, then));
  const got = await outcome(rig.scan({ source: "feeder" }));
  await deleted;
  expect(rig.pages).toHaveLength(pages);
  return { ...got, rig, scanner };
}

const troubles = [
  ["a jam", { adfState: "ScannerAdfJam" }, "document_jam"],
  ["several sheets at once", { adfState: "ScannerAdfMultipickDetected" }, "document_jam"],
  ["an open cover", { adfState: "ScannerAdfHatchOpen" }, "cover_open"],
  ["a stop", { state: "Stopped" }, "device_fault"],
  ["a scan ended at its panel", { jobs: [{ uri: "http://x/eSCL/ScanJobs/7", state: "Canceled" }] }, "device_fault"],
] as const;

describe.each([0, 2])("after %i pages", (pages) => {
  const rejected = pages === 0;

  it.each(troubles)("%s has its name, with whatever the scanner answers", async (_, then, kind) => {
    const answers: Answer[] = "jobs" in then ? [gone, { status: 404 }] : [gone, { status: 404 }, later, fault, "cut"];
    for (const answer of answers) expect(await feed(pages, [answer], then)).toMatchObject({ kind, rejected });
  });

  it("a page that is cut off is none", async () => {
    const half: Answer = { status: 200, body: jpeg(5_000).subarray(0, 3_000) };
    for (const answer of ["cut", half] as const) expect(await feed(pages, [answer])).toMatchObject({ kind: "device_fault", rejected });
  });

  it("what is no picture is none", async () => {
    for (const body of ["%PDF-1.7", "", "<html>"])
      expect(await feed(pages, [{ status: 200, body }])).toMatchObject({ kind: "device_fault", rejected });
  });

  it("a scanner that hangs is given up, and told so", async () => {
    expect(await feed(pages, ["hang"], {}, { pageMs: 20_000 })).toMatchObject({ kind: "device_fault", rejected });
  });

  it("a page that is not ready is asked for again, thirty times", async () => {
    const waits = Array.from({ length: 20 }, () => later);
    const { kind } = await feed(pages, [...waits, { status: 404 }], { adfState: "ScannerAdfEmpty" });
    expect(kind).toBe(pages === 0 ? "feeder_empty" : "done");
    const { scanner, ...given } = await feed(pages, [later]);
    expect(given).toMatchObject({ kind: "device_fault", rejected });
    expect(scanner.heard.filter((what) => what === "GET NextDocument")).toHaveLength(pages + 31);
  });

  it("a scan that the scanner forgot is no whole stack", async () => {
    expect(await feed(pages, [gone])).toMatchObject({ kind: "device_fault", rejected });
    const completed = { adfState: "ScannerAdfEmpty", jobs: [{ uri: "/eSCL/ScanJobs/7", state: "Completed" }] };
    expect((await feed(pages, [gone], completed)).kind).toBe(pages === 0 ? "feeder_empty" : "done");
  });

  it("any other status is a fault", async () => {
    for (const status of [204, 302, 400, 401, 500])
      expect(await feed(pages, [{ status }])).toMatchObject({ kind: "device_fault", rejected });
  });
});

describe("before the first page", () => {
  faultRow({
    device: "documents",
    fault: "Nothing in the feeder, nothing on the glass",
    sees: "`feeder_empty` or `scan_empty`",
    does: "says which, and moves nothing",
    back: "a page lies there",
  });
  it("an empty feeder and an empty glass have their names", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port);
    expect(await outcome(rig.scan({ source: "feeder" }))).toEqual({ kind: "feeder_empty", rejected: true });
    expect(scanner.heard).not.toContain("POST ScanJobs");
    expect(await outcome(rig.scan({ source: "flatbed" }))).toEqual({ kind: "scan_empty", rejected: true });
    // One that finds it out when it begins.
    scanner.adfState = "ScannerAdfLoaded";
    scanner.instead.set("POST ScanJobs", [{ status: 409 }]);
    const empty = scanner.asked("POST ScanJobs").then(() => Object.assign(scanner, { adfState: "ScannerAdfEmpty" }));
    expect(await outcome(rig.scan({ source: "feeder" }))).toEqual({ kind: "feeder_empty", rejected: true });
    await empty;
    // A jam in the feeder does not matter to the glass.
    scanner.adfState = "ScannerAdfJam";
    scanner.instead.delete("POST ScanJobs");
    scanner.instead.set("GET NextDocument", [later, page]);
    expect(await outcome(rig.scan({ source: "flatbed" }))).toEqual({ kind: "done", rejected: false });
  });

  it("a busy scanner is asked again for a while", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port);
    scanner.state = "Processing";
    for (const status of [503, 409]) {
      scanner.instead.set("POST ScanJobs", [{ status }]);
      scanner.heard.length = 0;
      expect(await outcome(rig.scan())).toEqual({ kind: "busy", rejected: true });
      expect(scanner.heard.filter((what) => what === "POST ScanJobs").length).toBeGreaterThan(2);
    }
    scanner.instead.set("POST ScanJobs", [{ status: 503 }, { status: 201, headers: { location: "/eSCL/ScanJobs/7" } }]);
    scanner.pages = [jpeg()];
    expect(await outcome(rig.scan())).toEqual({ kind: "done", rejected: false });
    // One that has no time for questions either.
    scanner.instead.set("GET ScannerStatus", [later]);
    scanner.pages = [jpeg()];
    expect(await outcome(rig.scan())).toEqual({ kind: "done", rejected: false });
    expect((await rig.device.selfTest(new AbortController().signal))[0]).toMatchObject({ ok: false });
  });

  it("a scanner that refuses what it says it can do is not busy", async () => {
    await using scanner = await fakeScanner();
    await using rig = await openRig(scanner.port);
    scanner.instead.set("POST ScanJobs", [{ status: 409 }]);
    expect(await outcome(rig.scan())).toEqual({ kind: "unsupported", rejected: true });
    for (const status of [200, 301, 400, 401, 404, 500]) {
      scanner.instead.set("POST ScanJobs", [{ status }]);
      expect(await outcome(rig.scan())).toEqual({ kind: "device_fault", rejected: true });
    }
    for (const headers of [{}, { location: "" }, { location: "file:///x" }]) {
      scanner.instead.set("POST ScanJobs", [{ status: 201, headers }]);
      expect(await outcome(rig.scan())).toEqual({ kind: "device_fault", rejected: true });
    }
    scanner.instead.set("POST ScanJobs", ["hang"]);
    expect(await outcome(rig.scan())).toEqual({ kind: "device_fault", rejected: true });
  });
});

describe("another host", () => {
  it("is never asked for anything", async () => {
    const strangers: string[] = [];
    const stranger = createServer((request, response) => {
      strangers.push(request.url ?? "");
      response.end();
    });
    await once(stranger.listen(0, "127.0.0.1"), "listening");
    const elsewhere = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    try {
      await using scanner = await fakeScanner();
      await using rig = await openRig(scanner.port);
      scanner.pages = [jpeg()];
      scanner.instead.set("POST ScanJobs", [{ status: 201, headers: { location: `${elsewhere}/eSCL/ScanJobs/7` } }]);
      expect(await outcome(rig.scan())).toEqual({ kind: "done", rejected: false });
      for (const what of ["POST ScanJobs", "GET NextDocument", "GET ScannerStatus"]) {
        scanner.instead.clear();
        scanner.instead.set(what, [{ status: 302, headers: { location: `${elsewhere}/eSCL/stolen` } }]);
        expect(await outcome(rig.scan())).toEqual({ kind: "device_fault", rejected: true });
      }
      expect(strangers).toEqual([]);
    } finally {
      stranger.close();
    }
  });
});

describe("secrets", () => {
  it("a page's bytes are in no error", async () => {
    const { rig } = await feed(1, [{ status: 200, body: utf8("NGUYEN VAN A") }]);
    const told = JSON.stringify([rig.conditions, rig.progress]);
    expect(told).not.toContain("NGUYEN");
  });
});
