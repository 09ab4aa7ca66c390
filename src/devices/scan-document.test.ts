import { beforeEach, expect, test } from "vitest";
import type { DocumentScanner, RawPage, ScanEnd, ScanSteps } from "../contracts/document-scanner.js";
import { defineDriver } from "../contracts/driver.js";
import type { Assembled, AssembleOrder, Documents, PreparedPage } from "../contracts/imaging.js";
import { asciiBytes } from "../kernel/bytes.js";
import { manualClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import { z } from "../kernel/schema.js";
import { documentScannerMethods } from "../protocol/document-scanner.js";
import type { Params, ParamsInput } from "../protocol/methods.js";
import { Bay } from "./bay.js";
import type { DeviceSpec } from "./device-spec.js";
import { scanDocument } from "./scan-document.js";
import { bayContext, settle } from "./testing/devices.js";
import { call, type FakeCall } from "./testing/fakes.js";

let scan: (steps: ScanSteps, signal: AbortSignal) => Promise<ScanEnd>;
let assembled: { readonly pages: readonly PreparedPage[]; readonly order: AssembleOrder } | undefined;
let prepare: (page: RawPage) => Promise<PreparedPage>;
let bay: Bay<"documentScanner">;

const raw = (name: string): RawPage => ({ mediaType: "image/jpeg", bytes: asciiBytes(name), resolutionDpi: 300 });
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const prepared = (page: RawPage): PreparedPage => ({
  mediaType: "image/jpeg",
  bytes: page.bytes,
  widthPx: 2480,
  heightPx: 3508,
  resolutionDpi: page.resolutionDpi,
  skewDegrees: 0,
  blank: text(page.bytes).startsWith("blank"),
  thumbnail: asciiBytes(`small ${text(page.bytes)}`),
});
const documents: Documents = {
  prepare: (page) => prepare(page),
  async assemble(pages, order): Promise<Assembled> {
    assembled = { pages, order };
    if (order.format === "pdf") return { images: [], document: asciiBytes("pdf"), jpegQuality: 75, resolutionDpi: 200 };
    return { images: pages.map(({ bytes }) => ({ bytes, widthPx: 1, heightPx: 2 })), resolutionDpi: 300 };
  },
  picture: () => Promise.reject(new DeviceError("unsupported")),
};

beforeEach(async () => {
  assembled = undefined;
  prepare = async (page) => prepared(page);
  const scanner: DocumentScanner = {
    identity: {},
    capabilities: {},
    lost: new Promise(() => {}),
    selfTest: async () => [],
    close: async () => {},
    scan: (_order, steps, signal) => scan(steps, signal),
  };
  const driver = defineDriver({
    class: "documentScanner",
    id: "scripted",
    summary: "",
    config: z.strictObject({}),
    links: ["http"],
    open: async () => scanner,
  });
  const connect = (): Promise<never> => Promise.reject(new DeviceError("device_absent"));
  const spec: DeviceSpec<"documentScanner"> = { id: "scanner", driver, settings: {}, connect, simulated: true, enabled: true };
  bay = new Bay(spec, bayContext(manualClock()), () => {});
  bay.start();
  await settle();
});

const ask = (params: ParamsInput<"documentScanner.scan">, by: FakeCall = call(), stop = new AbortController().signal) => {
  const parsed: Params<"documentScanner.scan"> = documentScannerMethods["documentScanner.scan"].params.parse(params);
  return scanDocument(bay, parsed, by, documents, stop);
};
const stack =
  (...names: string[]) =>
  async (steps: ScanSteps): Promise<ScanEnd> => {
    for (const name of names) await steps.page(raw(name));
    return { state: "done" };
  };

test("pages are told as they come, blank ones left out as asked, and the whole is one PDF", async () => {
  scan = stack("one", "blank", "three");
  const by = call();
  const result = await ask({ dropBlankPages: true, maxBytes: 1_000_000 }, by);
  expect(by.pages.map(({ page, blank, dropped }) => ({ page, blank, dropped }))).toEqual([
    { page: 1, blank: false, dropped: false },
    { page: 2, blank: true, dropped: true },
    { page: 3, blank: false, dropped: false },
  ]);
  expect(by.blobs.map(text)).toEqual(["small one", "small blank", "small three", "pdf"]);
  expect(assembled?.pages.map(({ bytes }) => text(bytes))).toEqual(["one", "three"]);
  expect(assembled?.order).toEqual({ format: "pdf", maxBytes: 1_000_000 });
  expect(result).toMatchObject({
    device: "scanner",
    simulated: true,
    resolutionDpi: 200,
    jpegQuality: 75,
    document: { mediaType: "application/pdf" },
  });
  expect(result.pages.map(({ page, dropped }) => [page, dropped])).toEqual([
    [1, false],
    [2, true],
    [3, false],
  ]);
  expect(by.stages).toEqual(["scanning", "page", "page", "page", "assembling"]);
});

test("images come with their pages; a stack of nothing but blank pages is no document", async () => {
  scan = stack("one", "blank", "three");
  const images = await ask({ format: "png", dropBlankPages: true });
  expect(images.pages.map(({ image }) => image?.mediaType)).toEqual(["image/png", undefined, "image/png"]);
  scan = stack("blank", "blank 2");
  const nothing = await ask({ dropBlankPages: true });
  expect(nothing.document).toBeUndefined();
  expect(nothing.pages).toHaveLength(2);
});

test("a jam after pages ends with what there is and why; before the first page it is an error", async () => {
  const jam = new DeviceError("document_jam");
  scan = async (steps) => {
    await steps.page(raw("one"));
    return { state: "broken_off", reason: jam };
  };
  expect(await ask({})).toMatchObject({ pages: [{ page: 1 }], document: {}, brokenOff: { kind: "document_jam", device: "scanner" } });
  scan = () => Promise.reject(jam);
  await expect(ask({})).rejects.toMatchObject({ kind: "document_jam", device: "scanner" });
});

test("a damaged page ends the scan with the good ones before it, and the scanner is told", async () => {
  let told: unknown;
  prepare = async (page) => {
    if (text(page.bytes) === "bad") throw new DeviceError("device_fault", { message: "a damaged image" });
    return prepared(page);
  };
  scan = async (steps) => {
    try {
      await stack("one", "bad", "three", "four", "five")(steps);
    } catch (thrown) {
      told = thrown;
      return { state: "broken_off", reason: thrown as DeviceError };
    }
    return { state: "done" };
  };
  expect(await ask({})).toMatchObject({ pages: [{ page: 1 }], brokenOff: { message: "a damaged image" } });
  expect(told).toMatchObject({ message: "a damaged image" });
});

test("the scanner waits while two pages are in hand", async () => {
  const finish: (() => void)[] = [];
  let handed = 0;
  prepare = (page) => new Promise((resolve) => finish.push(() => resolve(prepared(page))));
  scan = async (steps) => {
    for (const name of ["one", "two", "three", "four"]) {
      await steps.page(raw(name));
      handed++;
    }
    return { state: "done" };
  };
  const result = ask({});
  await settle();
  expect(handed).toBe(1);
  for (let page = 0; page < 4; page++) {
    finish.shift()?.();
    await settle();
  }
  expect((await result).pages).toHaveLength(4);
});

test("nobody waits for a scanner that is asked to stop, and nothing is put together", async () => {
  const by = call();
  scan = async (steps, signal) => {
    await steps.page(raw("one"));
    return await new Promise<never>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  const result = ask({}, by);
  const refused = expect(result).rejects.toMatchObject({ kind: "canceled" });
  await settle();
  by.abort();
  await refused;
  expect(assembled).toBeUndefined();
});

test("a scan that is stopped is put together with the pages that came, and without any it is canceled", async () => {
  const reason = new DeviceError("canceled", { message: "the scan was stopped" });
  const stuck = (names: readonly string[]) => async (steps: ScanSteps, signal: AbortSignal) => {
    for (const name of names) await steps.page(raw(name));
    return await new Promise<never>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  scan = stuck(["one", "two"]);
  const stopping = new AbortController();
  const result = ask({ format: "jpeg" }, call(), stopping.signal);
  await settle();
  stopping.abort(reason);
  const { pages, brokenOff } = await result;
  expect(pages.map(({ image }) => image !== undefined)).toEqual([true, true]);
  expect(brokenOff).toMatchObject({ kind: "canceled" });
  expect(assembled?.pages).toHaveLength(2);

  scan = stuck([]);
  const early = new AbortController();
  const empty = expect(ask({}, call(), early.signal)).rejects.toMatchObject({ kind: "canceled" });
  await settle();
  early.abort(reason);
  await empty;
  scan = stack("next");
  expect((await ask({})).pages).toHaveLength(1);
});

test("a page that is under way when the scan is stopped is worked on, and none after it", async () => {
  let finish = (): void => {};
  prepare = (page) =>
    new Promise((resolve) => {
      finish = () => resolve(prepared(page));
    });
  const stopping = new AbortController();
  let late: Promise<void> | undefined;
  scan = async (steps, signal) => {
    await steps.page(raw("one"));
    return await new Promise<never>((_resolve, reject) =>
      signal.addEventListener("abort", () => {
        late = steps.page(raw("late"));
        late.catch(() => {});
        reject(signal.reason);
      }),
    );
  };
  const result = ask({}, call(), stopping.signal);
  await settle();
  stopping.abort(new DeviceError("canceled"));
  await settle();
  finish();
  expect((await result).pages).toHaveLength(1);
  await expect(late).rejects.toMatchObject({ kind: "canceled" });
});
