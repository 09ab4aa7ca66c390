import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { PDFDict, PDFDocument, PDFName, PDFRawStream } from "pdf-lib";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import type { AssembleOrder, PreparedPage, PrepareOrder } from "../contracts/imaging.js";
import { assemblePages } from "./document-assemble.js";
import { asPage, DPI, drawScan, text } from "./document-drawings.test.support.js";
import { preparePage } from "./document-page.js";

const run = promisify(execFile);
const never = new AbortController().signal;
const CREATED_AT = Date.UTC(2026, 10, 23, 8, 30, 15);
const assemble = (pages: readonly PreparedPage[], order: AssembleOrder) => assemblePages(pages, order, CREATED_AT, never);

const poppler = await run("pdfinfo", ["-v"]).then(
  () => true,
  () => false,
);
if (!poppler && process.env.STATIOND_REAL_STACK === "required")
  throw new RangeError("STATIOND_REAL_STACK=required, but there is no pdfinfo (poppler-utils)");
if (!poppler) console.warn("SKIPPED: PDFs opened by an independent tool, because poppler-utils is not installed");

/** Page n has a black bar n centimetres long under its text. */
async function page(number: number, mode: PrepareOrder["mode"]): Promise<PreparedPage> {
  const canvas = drawScan({
    noise: 6,
    draw: (context) => {
      text(30)(context);
      context.fillRect(20, 270, 10 * number, 10);
    },
  });
  return await preparePage(asPage(canvas), { mode, deskew: true, cropToPage: false }, never);
}

let color: PreparedPage[];
let bilevel: PreparedPage[];
beforeAll(async () => {
  color = [];
  for (let number = 1; number <= 10; number++) color.push(await page(number, number === 4 ? "gray" : "color"));
  bilevel = [await page(1, "black_white"), await page(2, "black_white")];
});

/** In centimetres, of a page of any resolution. */
async function barOf(bytes: Uint8Array): Promise<number> {
  const { data, info } = await sharp(bytes).toColourspace("b-w").raw().toBuffer({ resolveWithObject: true });
  const y = Math.round((275 / 297) * info.height);
  let dark = 0;
  for (let x = 0; x < info.width; x++) if ((data[(y * info.width + x) * info.channels] ?? 255) < 128) dark++;
  return Math.round((dark / info.width) * 21);
}

async function opened(pdf: Uint8Array): Promise<{ info: Record<string, string>; pages: Buffer[] }> {
  const folder = await mkdtemp(join(tmpdir(), "stationd-pdf-"));
  try {
    await writeFile(join(folder, "scan.pdf"), pdf);
    const { stdout, stderr } = await run("pdfinfo", [join(folder, "scan.pdf")]);
    expect(stderr).toBe("");
    await run("pdftoppm", ["-png", "-r", "75", join(folder, "scan.pdf"), join(folder, "page")]);
    const names = (await readdir(folder)).filter((name) => name.endsWith(".png")).sort();
    const info = Object.fromEntries(stdout.split("\n").map((line) => line.split(/:\s+/, 2) as [string, string]));
    return { info, pages: await Promise.all(names.map((name) => readFile(join(folder, name)))) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe.skipIf(!poppler)("a PDF opened by poppler", () => {
  it("has ten pages in order, of their true size, under the bytes that were allowed", async () => {
    const free = await assemble(color, { format: "pdf" });
    const allowed = Math.floor((free.document?.length ?? 0) * 0.6);
    const { document = new Uint8Array(), jpegQuality, resolutionDpi, images } = await assemble(color, { format: "pdf", maxBytes: allowed });
    expect([document.length <= allowed, images.length, resolutionDpi]).toEqual([true, 0, DPI]);
    expect(jpegQuality).toBeLessThan(85);
    const { info, pages } = await opened(document);
    expect(info).toMatchObject({ Pages: "10", Encrypted: "no", "Metadata Stream": "yes", "Page size": expect.stringMatching(/\(A4\)/) });
    expect(info).not.toHaveProperty("Title");
    expect(info).not.toHaveProperty("Author");
    expect(await Promise.all(pages.map(barOf))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    // The paper is paper, and the first page's text where it was.
    const { data, info: size } = await sharp(pages[0]).toColourspace("b-w").raw().toBuffer({ resolveWithObject: true });
    expect([Math.abs(size.width - 620) <= 1, Math.abs(size.height - 877) <= 1, (data[0] ?? 0) > 235]).toEqual([true, true, true]);
  }, 120_000);

  it("shows black and white as it was", async () => {
    const { document = new Uint8Array(), jpegQuality } = await assemble(bilevel, { format: "pdf" });
    expect(jpegQuality).toBeUndefined();
    const { info, pages } = await opened(document);
    expect(info.Pages).toBe("2");
    expect(await Promise.all(pages.map(barOf))).toEqual([1, 2]);
    const { channels } = await sharp(pages[0]).stats();
    expect(channels[0]?.mean).toBeGreaterThan(200);
  });
});

describe("a PDF", () => {
  it("is the same of the same pages at the same time", async () => {
    const two = color.slice(0, 2);
    const first = await assemble(two, { format: "pdf" });
    expect(first.document).toEqual((await assemble(two, { format: "pdf" })).document);
    expect(first.document).not.toEqual((await assemblePages(two, { format: "pdf" }, CREATED_AT + 1_000, never)).document);
  });

  /** ISO 19005-2, as far as it concerns a file of nothing but pictures; a full check by a validator of the whole standard is not done here. */
  it("keeps what PDF/A-2b asks of a file of pictures", async () => {
    const { document = new Uint8Array() } = await assemble([color[0], bilevel[0]] as PreparedPage[], { format: "pdf" });
    const raw = Buffer.from(document).toString("latin1");
    // 6.1.2: the header, and behind it a comment of at least four bytes above 127.
    expect(raw).toMatch(/^%PDF-1\.7\n%[\x80-\xff]{4}/);
    // 6.1.3: an ID, no encryption, nothing behind the end.
    expect(raw).toMatch(/\/ID \[ ?<[0-9a-f]{32}> <[0-9a-f]{32}> ?\]/);
    expect(raw).not.toMatch(/\/Encrypt|\/LZWDecode|\/Info \d/);
    expect(raw).toMatch(/%%EOF\s?$/);
    // 6.5, 6.1.7.1, 6.2.10: no actions, scripts, files, transparency or forms.
    expect(raw).not.toMatch(/\/(JavaScript|OpenAction|AA|AcroForm|EmbeddedFiles|SMask|Group|Alternates|OPI)\b/);
    const read = await PDFDocument.load(document, { updateMetadata: false });
    // 6.2.3: an output intent with an RGB profile, beside which DeviceGray is allowed, too (6.2.4.3).
    const intent = read.catalog.lookup(PDFName.of("OutputIntents"))?.toString() ?? "";
    const [, profileNumber] = /DestOutputProfile (\d+) 0 R/.exec(raw) ?? [];
    expect([intent !== "", profileNumber !== undefined]).toEqual([true, true]);
    expect(raw).toMatch(/\/S \/GTS_PDFA1/);
    const streams = read.context.enumerateIndirectObjects().flatMap(([, object]) => (object instanceof PDFRawStream ? [object] : []));
    expect(streams.filter(({ dict }) => dict.get(PDFName.of("N"))?.toString() === "3")).toHaveLength(1);
    // 6.6.2.1 and 6.6.4: XMP that says so, readable by whoever does not know PDF.
    const metadata = read.catalog.lookup(PDFName.of("Metadata")) as PDFRawStream;
    expect(metadata.dict.has(PDFName.of("Filter"))).toBe(false);
    const xmp = Buffer.from(metadata.contents).toString("utf8");
    expect(xmp).toMatch(/<pdfaid:part>2<\/pdfaid:part>\s*<pdfaid:conformance>B<\/pdfaid:conformance>/);
    expect(xmp).toContain("<xmp:CreateDate>2026-11-23T08:30:15Z</xmp:CreateDate>");
    // 6.2.8: pictures without interpolation; 6.1.7: streams as long as they say, which the parser above has checked.
    const pictures = streams.filter(({ dict }) => dict.get(PDFName.of("Subtype")) === PDFName.of("Image"));
    expect(pictures.map(({ dict }) => dict.get(PDFName.of("ColorSpace"))?.toString())).toEqual(["/DeviceRGB", "/DeviceGray"]);
    for (const { dict } of pictures) expect(dict.has(PDFName.of("Interpolate"))).toBe(false);
    // 6.2.2: every page names its own resources.
    for (const { node } of read.getPages()) expect(node.lookup(PDFName.of("Resources"))).toBeInstanceOf(PDFDict);
  });
});

describe("fitting", () => {
  it("leaves pages alone that fit, byte by byte", async () => {
    const { images, jpegQuality } = await assemble(color.slice(0, 2), { format: "jpeg", maxBytes: 100_000_000 });
    expect(images.map(({ bytes }) => bytes)).toEqual(color.slice(0, 2).map(({ bytes }) => bytes));
    expect(jpegQuality).toBe(85);
  });

  it("says what the least is where nothing fits", async () => {
    const fine = { ...(color[0] as PreparedPage), resolutionDpi: 300 };
    const error = await assemble([fine], { format: "pdf", maxBytes: 20_000 }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: "too_large", details: { leastBytes: expect.any(Number) } });
    const { leastBytes } = (error as { details: { leastBytes: number } }).details;
    const least = await assemble([fine], { format: "pdf", maxBytes: leastBytes });
    expect(least).toMatchObject({ jpegQuality: 55, resolutionDpi: 150, document: expect.objectContaining({ length: leastBytes }) });
    await expect(assemble([fine], { format: "pdf", maxBytes: leastBytes - 1 })).rejects.toMatchObject({ details: { leastBytes } });
  });

  it("makes black and white smaller by resolution only, and it stays one bit", async () => {
    const fine = { ...(bilevel[0] as PreparedPage), resolutionDpi: 300 };
    const { images, jpegQuality, resolutionDpi } = await assemble([fine], { format: "png", maxBytes: Math.floor(fine.bytes.length * 0.9) });
    expect([jpegQuality, resolutionDpi < 300, images[0]?.bytes[24]]).toEqual([undefined, true, 1]);
    expect(images[0]?.widthPx).toBe(Math.round((fine.widthPx * resolutionDpi) / 300));
    expect(await barOf(images[0]?.bytes ?? new Uint8Array())).toBe(1);
  });

  it.each(["jpeg", "png"] as const)("gives images of the kind asked for: %s", async (format) => {
    const { images, document } = await assemble([color[1], bilevel[1]] as PreparedPage[], { format });
    expect(document).toBeUndefined();
    for (const { bytes, widthPx, heightPx } of images) {
      expect(await sharp(bytes).metadata()).toMatchObject({ format, width: widthPx, height: heightPx, density: DPI });
      expect(await barOf(bytes)).toBe(2);
    }
  });
});
