import sharp from "sharp";
import { systemClock } from "../../src/kernel/clock.js";
import type { BlobRef } from "../../src/protocol/method.js";
import type { Journey, Visit } from "./visit.js";

const clock = systemClock();
const SHEET_MM = { widthMm: 210, heightMm: 297 };
const DPI = 75;
const SIZES: Readonly<Record<string, string>> = { camera: "640x360", webcam: "320x240" };
const LOOK_MS = 700;

/** A stack through the feeder: as many pages as sheets went in, and each a whole picture. */
export const documents: Journey = async (visit) => {
  const { world, client } = visit;
  visit.uses("documents");
  using turn = await world.lock("documents");
  void turn;
  const { scene } = world;
  await scene.act("documents", "loadFeeder", { sheets: Array.from({ length: visit.pick(0, [1, 1, 2, 3]) }, () => SHEET_MM) });
  const laid = Number(scene.state("documents").sheets);
  const format = visit.pick(1, ["jpeg", "jpeg", "pdf", "png"] as const);
  const request = { device: "documents", source: "feeder", resolutionDpi: DPI, format, timeoutMs: 60_000 } as const;
  const { pages, document, brokenOff } = await client.call("documentScanner.scan", request, { signal: visit.cancel });
  const fed = laid - Number(scene.state("documents").sheets);
  visit.must(pages.length <= fed, `${fed} sheets went in, and ${pages.length} pages came`);
  if (brokenOff) visit.must(!visit.undisturbed(), `broken off: ${brokenOff.kind} (${brokenOff.message})`);
  else visit.must(pages.length === laid, `${laid} sheets lay there, and ${pages.length} pages came`);
  visit.must(
    pages.every(({ blank }) => !blank),
    "a page is said to be blank",
  );
  for (const { image, widthPx, heightPx } of pages) if (image) await whole(visit, image, `${widthPx}x${heightPx}`);
  if (document) {
    const bytes = await bytesOf(visit, document);
    visit.must(bytes.subarray(0, 5).toString("latin1") === "%PDF-" && bytes.subarray(-8).includes("%%EOF"), "the PDF is not whole");
  }
};

/** One picture, or a moment of live ones. */
export const photo: Journey = async (visit) => {
  const device = visit.pick(0, visit.world.scene.cameras);
  visit.uses(device);
  if (visit.chance(1, 0.3)) return await live(visit, device);
  const { image, widthPx, heightPx } = await visit.client.call("camera.snapshot", { device, timeoutMs: 20_000 }, { signal: visit.cancel });
  visit.must(`${widthPx}x${heightPx}` === SIZES[device], `a picture of ${widthPx}x${heightPx}`);
  await whole(visit, image, SIZES[device] ?? "");
};

async function live(visit: Visit, device: string): Promise<void> {
  const leave = new AbortController();
  visit.cancel.addEventListener("abort", () => leave.abort(), { once: true });
  const pictures: Blob[] = [];
  const ended = visit.client.preview({ device }, (jpeg) => void pictures.push(jpeg), { signal: leave.signal });
  const giveUpAt = clock.monotonicMs() + 5_000;
  while (pictures.length === 0 && clock.monotonicMs() < giveUpAt && !leave.signal.aborted) await Promise.race([clock.sleep(20), ended]);
  await Promise.race([clock.sleep(LOOK_MS), ended]);
  leave.abort();
  await ended;
  if (visit.undisturbed()) visit.must(pictures.length > 0, "no live picture came");
  const last = pictures.at(-1);
  if (last) await decodes(visit, Buffer.from(await last.arrayBuffer()), SIZES[device] ?? "");
}

async function bytesOf({ client }: Visit, ref: BlobRef): Promise<Buffer> {
  return Buffer.from(await client.blob(ref).arrayBuffer());
}

async function whole(visit: Visit, ref: BlobRef, size: string): Promise<void> {
  await decodes(visit, await bytesOf(visit, ref), size);
}

/** To its last row, without a word of complaint from the decoder. */
async function decodes(visit: Visit, bytes: Buffer, size: string): Promise<void> {
  const found = await sharp(bytes, { failOn: "warning" })
    .raw()
    .toBuffer({ resolveWithObject: true })
    .then(
      ({ info: { width, height } }) => `${width}x${height}`,
      (thrown: unknown) => String(thrown),
    );
  visit.must(found === size, `a picture that should be ${size} is ${found}`);
}
