import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { StationClient } from "../../src/client/node.js";
import type { Result } from "../../src/protocol/methods.js";
import { startStation, type TestStation } from "../../src/testing.js";
import { faultRow } from "../support/fault.js";

let station: TestStation;
let page: StationClient;
beforeAll(async () => {
  const link = { kind: "simulator", simulator: "document-scanner", pageMs: 0 };
  station = await startStation({ seed: 21, scenario: { devices: { papers: { driver: "escl", link } } } });
  page = await station.connect();
});
beforeEach(() => station.reset());
afterAll(() => station.stop());

const scan = (source: "feeder" | "flatbed"): Promise<Result<"documentScanner.scan">> =>
  page.call("documentScanner.scan", { source, resolutionDpi: 75, format: "jpeg" });

faultRow({
  device: "documents",
  fault: "A sheet jams in mid-scan",
  knobs: ["document-scanner.jam"],
  sees: "the good pages, and `document_jam` in `brokenOff`; before the first page the error alone",
  does: "keeps what came whole, and ends the scan on the scanner, too",
  back: "the sheet is taken out",
  case: ["jam"],
});
faultRow({
  device: "documents",
  fault: "A scanned page comes cut off",
  knobs: ["document-scanner.cut"],
  sees: "the good pages, and `device_fault` in `brokenOff`; before the first page the error alone",
  does: "takes no half page for a page",
  back: "the next scan",
  case: ["cut"],
});
faultRow({
  device: "documents",
  fault: "A scanned page's picture is damaged",
  knobs: ["document-scanner.damaged-jpeg"],
  sees: "the good pages, and `device_fault` in `brokenOff`; before the first page the error alone",
  does: "decodes it in a child, and shows no damaged page",
  back: "the next scan",
  case: ["damaged-jpeg"],
});
test.each([
  ["jam", "document_jam"],
  ["cut", "device_fault"],
  ["damaged-jpeg", "device_fault"],
])("%s at the second page: the first one stays, the reason is told, and the scanner is free again", async (fault, kind) => {
  await station.act("papers", "loadFeeder", { sheets: [{}, {}, {}] });
  await station.act("papers", "inject", { fault, page: 2 });
  const broken = await scan("feeder");
  expect(broken.pages).toMatchObject([{ page: 1 }]);
  expect(broken.brokenOff).toMatchObject({ kind, device: "papers" });
  await station.act("papers", "clearJam");
  const next = await scan("flatbed");
  expect(next.pages).toHaveLength(1);
  expect(next.brokenOff).toBeUndefined();
});
