import { readdirSync } from "node:fs";
import fc from "fast-check";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import type { RawPage } from "../contracts/document-scanner.js";
import { concatBytes } from "../kernel/bytes.js";
import { systemClock } from "../kernel/clock.js";
import { silentLog } from "../kernel/log.js";
import { asPage, asPnm, drawScan, text } from "./document-drawings.test.support.js";
import { PIECE_BYTES } from "./document-tray.js";
import { createDocuments } from "./documents.js";

const never = new AbortController().signal;
const ORDER = { mode: "color", deskew: true, cropToPage: true } as const;
const documents = createDocuments({ log: silentLog, clock: systemClock() });
afterAll(() => documents.stop());

const canvas = drawScan({ draw: text(), skewDegrees: 1 });
const small = drawScan({ widthMm: 40, heightMm: 30, draw: text(3, { sizeMm: 3, leftMm: 2, topMm: 8 }) });

describe("pages in their child", () => {
  it("cross in pieces and come back whole, in order, also several at once", async () => {
    const page = asPnm(canvas, "P6");
    expect(page.bytes.length).toBeGreaterThan(2 * PIECE_BYTES);
    const made = await Promise.all([
      documents.prepare(page, ORDER, never),
      documents.prepare(asPage(small), { ...ORDER, mode: "gray" }, never),
      documents.prepare(asPnm(canvas, "P5"), { ...ORDER, mode: "black_white" }, never),
    ]);
    expect(made.map(({ mediaType }) => mediaType)).toEqual(["image/jpeg", "image/jpeg", "image/png"]);
    expect((await sharp(made[0]?.bytes).metadata()).channels).toBe(3);
    const many = Array.from({ length: 40 }, (_, index) => made[index % 2] ?? made[0]);
    const { document, jpegQuality } = await documents.assemble(many as typeof made, { format: "pdf" }, never);
    expect([(document?.length ?? 0) > PIECE_BYTES, jpegQuality]).toEqual([true, 85]);
    expect(Buffer.from(document ?? []).toString("latin1")).toMatch(/^%PDF-[\s\S]*%%EOF\s?$/);
    const { images } = await documents.assemble(made, { format: "jpeg" }, never);
    expect(images.slice(0, 2).map(({ bytes }) => Buffer.from(bytes))).toEqual(made.slice(0, 2).map(({ bytes }) => Buffer.from(bytes)));
  });

  it("nobody waits for the turn of a caller who has gone", async () => {
    const leave = new AbortController();
    const first = documents.prepare(asPnm(canvas, "P6"), ORDER, leave.signal);
    const waiting = documents.prepare(asPage(small), ORDER, leave.signal);
    const other = documents.prepare(asPage(small), ORDER, never);
    leave.abort(new RangeError("gone"));
    await expect(first).rejects.toThrow("gone");
    await expect(waiting).rejects.toThrow("gone");
    expect(await other).toMatchObject({ mediaType: "image/jpeg" });
  });

  it("a child that is killed costs its page nothing; what ends it twice is to blame, and the next one works", async () => {
    const killed = async (before?: number): Promise<number> => {
      for (;;) {
        const { documents: pid } = documents.pids;
        if (pid !== undefined && pid !== before) {
          process.kill(pid, "SIGKILL");
          return pid;
        }
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    const innocent = documents.prepare(asPnm(canvas, "P6"), ORDER, never);
    const first = await killed();
    expect(await innocent).toMatchObject({ mediaType: "image/jpeg" });
    expect(documents.pids.documents).not.toBe(first);
    const guilty = documents.prepare(asPnm(canvas, "P6"), ORDER, never);
    guilty.catch(() => {});
    await killed(await killed());
    await expect(guilty).rejects.toMatchObject({ kind: "device_fault", retryable: true });
    expect(await documents.prepare(asPage(small), ORDER, never)).toMatchObject({ blank: false });
  });

  it("pictures go on beside one that hangs, and when that is ended its page is done all the same", async () => {
    const pid = documents.pids.documents ?? 0;
    process.kill(pid, "SIGSTOP");
    const work = documents.prepare(asPage(small), ORDER, never);
    expect(await documents.picture(asPage(small, "image/jpeg").bytes, { maxWidthPx: 100 }, never)).toMatchObject({ widthPx: 100 });
    process.kill(pid, "SIGKILL"); // as the heartbeat does
    expect(await work).toMatchObject({ blank: false });
  });

  it("no pages are no document", async () => {
    await expect(documents.assemble([], { format: "pdf" }, never)).rejects.toMatchObject({ kind: "invalid_params" });
  });
});

describe("hostile bytes", () => {
  const jpeg = asPage(small, "image/jpeg");
  const be = (value: number): number[] => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
  const patched = (bytes: Uint8Array, at: number, ...values: number[]): Uint8Array => {
    const copy = Uint8Array.from(bytes);
    copy.set(values, at);
    return copy;
  };

  it.each<[string, () => RawPage, string]>([
    [
      "a JPEG of 65,000 × 65,000",
      () => {
        const frame = Buffer.from(jpeg.bytes).indexOf(Buffer.of(0xff, 0xc0));
        return { ...jpeg, bytes: patched(jpeg.bytes, frame + 5, 0xfd, 0xe8, 0xfd, 0xe8) };
      },
      "too_large",
    ],
    [
      "a PNG of 40,000 × 40,000",
      () => ({ ...asPage(small), bytes: patched(asPage(small).bytes, 16, ...be(40_000), ...be(40_000)) }),
      "(too_large|device_fault)",
    ],
    ["a PNM of 100,000 × 100,000", () => ({ ...asPnm(small, "P5"), bytes: Buffer.from("P5 100000 100000 255\n") }), "too_large"],
    ["a PNM without its last byte", () => ({ ...asPnm(small, "P6"), bytes: asPnm(small, "P6").bytes.subarray(0, -1) }), "device_fault"],
    ["a PNM of 16 bits", () => ({ ...asPnm(small, "P5"), bytes: Buffer.from("P5 1 1 65535\n\0\0") }), "device_fault"],
    [
      "a JPEG of a thousand scans",
      () => {
        const scan = Buffer.from(jpeg.bytes).indexOf(Buffer.of(0xff, 0xda));
        const scans = Array<Uint8Array>(1_000).fill(jpeg.bytes.subarray(scan, scan + 100));
        return { ...jpeg, bytes: concatBytes([jpeg.bytes.subarray(0, scan), ...scans, jpeg.bytes.subarray(scan)]) };
      },
      "device_fault",
    ],
    [
      "a JPEG with other bytes in its middle",
      () => ({
        ...jpeg,
        bytes: patched(jpeg.bytes, Math.floor(jpeg.bytes.length / 2), ...Array.from({ length: 512 }, (_, index) => (index * 167) & 0xff)),
      }),
      "device_fault",
    ],
    ["a JPEG that calls itself PNG", () => ({ ...jpeg, mediaType: "image/png" }), "device_fault"],
    ["an SVG", () => ({ ...jpeg, bytes: Buffer.from("<svg xmlns='http://www.w3.org/2000/svg' width='4' height='4'/>") }), "device_fault"],
    ["nothing", () => ({ ...jpeg, bytes: new Uint8Array() }), "device_fault"],
  ])("%s is refused by name", async (_, make, kind) => {
    await expect(documents.prepare(make(), ORDER, never)).rejects.toMatchObject({ kind: expect.stringMatching(new RegExp(`^${kind}$`)) });
  });

  it("damaged files of every kind are a page or a named error, and the same child lives on", async () => {
    await documents.prepare(asPage(small), ORDER, never);
    const tiff = await sharp(asPage(small).bytes).removeAlpha().tiff({ compression: "lzw" }).toBuffer();
    const flat = await sharp(asPage(small).bytes).removeAlpha().tiff({ compression: "none" }).toBuffer();
    const progressive = await sharp(asPage(small).bytes).jpeg({ progressive: true }).toBuffer();
    const files: RawPage[] = [
      jpeg,
      { ...jpeg, bytes: progressive },
      asPage(small),
      asPnm(small, "P4"),
      asPnm(small, "P5"),
      asPnm(small, "P6"),
      { mediaType: "image/tiff", bytes: tiff, resolutionDpi: 100 },
      { mediaType: "image/tiff", bytes: flat, resolutionDpi: 100 },
    ];
    const { documents: pid } = documents.pids;
    const damages = fc.array(fc.tuple(fc.oneof(fc.nat(300), fc.nat(20_000), fc.integer({ min: -400, max: -1 })), fc.nat(255)), {
      maxLength: 8,
    });
    let [pages, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...files), damages, fc.option(fc.nat()), async (file, changes, cut) => {
        const copy = Uint8Array.from(file.bytes);
        for (const [at, byte] of changes) copy[(at + copy.length) % copy.length] = byte;
        const bytes = cut === null ? copy : copy.subarray(0, cut % copy.length);
        try {
          const page = await documents.prepare({ ...file, bytes }, ORDER, never);
          expect((await sharp(page.bytes).metadata()).width).toBe(page.widthPx);
          pages++;
        } catch (error) {
          expect(error).toMatchObject({ kind: expect.stringMatching(/^(device_fault|too_large)$/) });
          refused++;
        }
      }),
      { numRuns: 150 },
    );
    expect([pages > 0, refused > 0]).toEqual([true, true]);
    expect(documents.pids.documents).toBe(pid);
  });

  it("leave no file behind", () => {
    expect(readdirSync(process.env.TMPDIR ?? "/tmp").filter((name) => /^(vips|magick)-/.test(name))).toEqual([]);
  });
});
