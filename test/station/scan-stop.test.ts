import { expect, test } from "vitest";
import { startStation } from "../../src/testing.js";

test("a scan that its own page stops is answered with what came; nobody else's word counts, and the scanner is free again", async () => {
  const devices = { papers: { driver: "escl", link: { kind: "simulator", simulator: "document-scanner", pageMs: 200 } } };
  await using station = await startStation({ scenario: { devices } });
  const [page, other] = [await station.connect(), await station.connect("technician")];
  expect(await page.call("documentScanner.stop", {})).toEqual({ stopped: false });

  await station.act("papers", "loadFeeder", { sheets: Array.from({ length: 40 }, () => ({})) });
  const said: Promise<boolean>[] = [];
  const scanned = await page.call(
    "documentScanner.scan",
    { resolutionDpi: 75, format: "jpeg" },
    {
      onProgress({ page: told }) {
        if (told?.page !== 2) return;
        said.push(
          (async () => {
            const theirs = await other.call("documentScanner.stop", {});
            const ours = await page.call("documentScanner.stop", {});
            return !theirs.stopped && ours.stopped;
          })(),
        );
      },
    },
  );
  expect(await Promise.all(said)).toEqual([true]);
  expect(scanned.brokenOff).toMatchObject({ kind: "canceled" });
  expect(scanned.pages.length).toBeGreaterThanOrEqual(2);
  expect(scanned.pages.length).toBeLessThan(40);
  for (const { image } of scanned.pages) expect(image && page.blob(image).size).toBeGreaterThan(1_000);

  const next = await page.call("documentScanner.scan", { source: "flatbed", resolutionDpi: 75, format: "jpeg" });
  expect(next.pages).toHaveLength(1);
});
