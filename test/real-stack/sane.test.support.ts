import { readdir, readlink } from "node:fs/promises";
import sharp from "sharp";
import type { DocumentScanner, RawPage, ScanEnd, ScanOrder } from "../../src/contracts/document-scanner.js";
import { sane } from "../../src/drivers/document-scanner/sane/driver.js";
import { systemClock } from "../../src/kernel/clock.js";
import { silentLog } from "../../src/kernel/log.js";
import type { ProgramLink } from "../../src/kernel/program.js";
import { seededRandom } from "../../src/kernel/random.js";
import { sane as saneTransport } from "../../src/transports/sane.js";
import { LinkSettings } from "../../src/transports/settings.js";

export interface SaneBench extends AsyncDisposable {
  readonly scanner: DocumentScanner;
  readonly link: ProgramLink;
  readonly folder: string;
}

/** The driver on the real scanimage. */
export async function openSane(link: object, config: object = {}): Promise<SaneBench> {
  const settings = LinkSettings.parse({ kind: "sane", ...link });
  if (settings.kind !== "sane") throw new RangeError("not sane");
  const clock = systemClock();
  const connect = saneTransport(settings, clock);
  let made: ProgramLink | undefined;
  const scanner = await sane.open(sane.config.parse(config), {
    device: "scanner",
    async connect(signal) {
      made = await connect(signal);
      return made;
    },
    clock,
    random: seededRandom(1),
    log: silentLog,
    signal: new AbortController().signal,
    imaging: { draw: async () => [], png: async () => new Uint8Array() },
    simulated: false,
    report() {},
  });
  if (!made) throw new RangeError("never connected");
  return { scanner, link: made, folder: made.folder, [Symbol.asyncDispose]: () => scanner.close() };
}

export function order(wish: Partial<ScanOrder>): ScanOrder {
  return { source: "flatbed", mode: "color", resolutionDpi: 100, widthMm: 105, heightMm: 148, maxPages: 1, ...wish };
}

interface Ways {
  readonly signal?: AbortSignal;
  onProgress?(fraction: number | undefined): void;
  onPage?(page: RawPage): void;
}

export async function scanWith(
  { scanner }: Pick<SaneBench, "scanner">,
  wish: ScanOrder,
  { signal = new AbortController().signal, onProgress, onPage }: Ways = {},
): Promise<{ readonly end: ScanEnd; readonly pages: readonly RawPage[]; readonly fractions: readonly number[] }> {
  const pages: RawPage[] = [];
  const fractions: number[] = [];
  const end = await scanner.scan(
    wish,
    {
      progress(fraction) {
        if (fraction !== undefined) fractions.push(fraction);
        onProgress?.(fraction);
      },
      async page(page) {
        pages.push(page);
        onPage?.(page);
      },
    },
    signal,
  );
  return { end, pages, fractions };
}

/** Head of a PNM file. */
export function pictureOf({ bytes }: RawPage): { magic: string | undefined; width: number; height: number } {
  const [, magic, width, height] = /^(P\d)\s(?:#[^\n]*\n)?(\d+) (\d+)\s/.exec(Buffer.from(bytes.subarray(0, 100)).toString("latin1")) ?? [];
  return { magic, width: Number(width), height: Number(height) };
}

/** For what cannot read PNM. */
export async function pngOf(page: RawPage): Promise<Uint8Array> {
  const { magic, width, height } = pictureOf(page);
  const channels = magic === "P6" ? 3 : 1;
  const pixels = page.bytes.subarray(page.bytes.length - width * height * channels);
  return await sharp(pixels, { raw: { width, height, channels } }).png().toBuffer();
}

/** Ids of processes that work in this folder. */
export async function processesIn(folder: string): Promise<number[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const places = await Promise.all(ids.map(async (id) => [id, await readlink(`/proc/${id}/cwd`).catch(() => "")] as const));
  return places.filter(([, place]) => place.startsWith(folder)).map(([id]) => Number(id));
}
