import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { createLogger } from "../../src/observability/log.js";
import { startStation } from "../../src/testing.js";

const PIECE_BYTES = 48;

/** Pieces from all over a picture, as they are, in hexadecimal and in base64 (the inner part of each alignment is the same everywhere). */
function shapesOf(picture: Buffer): string[] {
  return [0.2, 0.4, 0.6, 0.8].flatMap((part) => {
    const at = Math.floor(part * picture.length);
    const piece = picture.subarray(at, at + PIECE_BYTES);
    const inner = [0, 1, 2].map((shift) => picture.subarray(at + shift, at + shift + PIECE_BYTES - 3).toString("base64"));
    return [piece.toString("latin1"), piece.toString("hex"), ...inner];
  });
}
const leaks = (haystack: Buffer, pictures: readonly Buffer[]): number => {
  const text = haystack.toString("latin1");
  return pictures.flatMap(shapesOf).filter((shape) => text.includes(shape)).length;
};

test("papers and faces are with the page that asked, and in no log, event of another session, metric or file", async () => {
  const logged: Buffer[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(Buffer.from(chunk));
      done();
    },
  });
  const stateDir = await mkdtemp(join(tmpdir(), "canary-pictures-"));
  const devices = {
    papers: { driver: "escl", link: { kind: "simulator", simulator: "document-scanner", pageMs: 0 } },
    face: { driver: "ffmpeg", lingerMs: 100, link: { kind: "simulator", simulator: "camera", widthPx: 640, heightPx: 360 } },
  };
  await using station = await startStation({ scenario: { devices }, stateDir, log: createLogger({ level: "debug", destination }) });
  const [page, bystander] = [await station.connect(), await station.connect("technician")];
  const overheard: unknown[] = [];
  await bystander.subscribe(["devices", "jobs", "agent", "chipReader"], (update) => void overheard.push(update));
  const bytesOf = async (image: Parameters<typeof page.blob>[0]): Promise<Buffer> => Buffer.from(await page.blob(image).arrayBuffer());

  const pictures: Buffer[] = [];
  await station.act("papers", "loadFeeder", { sheets: [{}, {}] });
  const thumbnails: Promise<Buffer>[] = [];
  const scanned = await page.call(
    "documentScanner.scan",
    { resolutionDpi: 100, format: "jpeg" },
    { onProgress: ({ page: told }) => void (told && thumbnails.push(bytesOf(told.thumbnail))) },
  );
  for (const { image } of scanned.pages) if (image) pictures.push(await bytesOf(image));
  pictures.push(...(await Promise.all(thumbnails)));
  const leave = new AbortController();
  const seen = new Promise<Buffer>((resolve) => {
    void page.preview({}, async (jpeg) => resolve(Buffer.from(await jpeg.arrayBuffer())), { signal: leave.signal }).catch(() => {});
  });
  pictures.push(await seen, await bytesOf((await page.call("camera.snapshot", {})).image));
  leave.abort();
  // What goes wrong is told, too, and without the picture.
  await station.act("papers", "loadFeeder", { sheets: [{}] });
  await station.act("face", "dark", {});
  await page
    .call("camera.snapshot", { quality: { minBrightness: 254 }, timeoutMs: 1_000 })
    .catch((thrown) => overheard.push(String(thrown)));
  await bystander.call("diagnostics.run", {}).then((checks) => overheard.push(checks));
  await bystander.call("camera.stats", {}).then((stats) => overheard.push(stats));
  const metrics = await fetch(`${station.httpUrl}/metrics`, { headers: { authorization: `Bearer ${station.tokens.technician}` } });

  expect(pictures.length).toBe(6);
  for (const picture of pictures) expect(picture.length).toBeGreaterThan(1_000);
  const files = (await readdir(stateDir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const everything = {
    log: Buffer.concat(logged),
    events: Buffer.from(JSON.stringify(overheard)),
    metrics: Buffer.from(await metrics.text()),
    files: Buffer.concat(await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name))))),
  };
  for (const [where, haystack] of Object.entries(everything)) expect(leaks(haystack, pictures), where).toBe(0);
  expect(everything.log.length).toBeGreaterThan(100);
  // The search itself would find one.
  const planted = pictures[0] as Buffer;
  expect(leaks(Buffer.from(`x${planted.toString("base64")}`), pictures)).toBeGreaterThan(0);
  await rm(stateDir, { recursive: true, force: true });
});
