import { createRequire } from "node:module";
import { createCanvas, loadImage } from "@napi-rs/canvas";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Photo } from "../contracts/imaging.js";
import { asciiBytes, concatBytes } from "../kernel/bytes.js";
import { systemClock } from "../kernel/clock.js";
import { silentLog } from "../kernel/log.js";
import { createImaging } from "./imaging.js";
import { readJpeg2000 } from "./jpeg2000.js";
import { MAX_PHOTO_BYTES, makePhoto } from "./photo.js";

const never = new AbortController().signal;

interface Encoder {
  getDecodedBuffer(frame: object): Uint8Array;
  setQuality(lossless: boolean, rate: number): void;
  setDecompositions(levels: number): void;
  setTileSize(size: { width: number; height: number }): void;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
}
let newEncoder: () => Encoder;
beforeAll(async () => {
  const load = createRequire(import.meta.url)("@cornerstonejs/codec-openjpeg/wasmjs");
  const { J2KEncoder } = (await load({ print() {}, printErr() {} })) as { J2KEncoder: new () => Encoder };
  newEncoder = () => new J2KEncoder();
});

/** A gradient to the right in the first component, downwards in the second, both in the third. */
function sample(x: number, y: number, component: number, width: number, height: number): number {
  const [right, down] = [Math.round((x * 255) / width), Math.round((y * 255) / height)];
  return component === 0 ? right : component === 1 ? down : (right + down) >> 1;
}

/** A raw codestream of the gradient. */
function codestream(width: number, height: number, { components = 3, bits = 8, tile = 0, levels = 2 } = {}): Uint8Array {
  const encoder = newEncoder();
  const samples = encoder.getDecodedBuffer({
    width,
    height,
    bitsPerSample: bits,
    componentCount: components,
    isSigned: false,
    isUsingColorTransform: components === 3,
  });
  if (bits === 8) {
    for (let at = 0; at < samples.length; at++) {
      const pixel = Math.floor(at / components);
      samples[at] = sample(pixel % width, Math.floor(pixel / width), at % components, width, height);
    }
  }
  encoder.setQuality(true, 0);
  encoder.setDecompositions(levels);
  if (tile > 0) encoder.setTileSize({ width: tile, height: tile });
  encoder.encode();
  return Uint8Array.from(encoder.getEncodedBuffer());
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}
const box = (type: string, ...content: Uint8Array[]): Uint8Array => {
  const whole = concatBytes(content);
  return concatBytes([u32(8 + whole.length), asciiBytes(type), whole]);
};
/** A JP2 file around a codestream (ISO/IEC 15444-1, annex I). Colours: 16 sRGB, 17 grey, 18 sYCC. */
function jp2(stream: Uint8Array, colours = 16, ...more: Uint8Array[]): Uint8Array {
  return concatBytes([
    box("jP  ", Uint8Array.of(0x0d, 0x0a, 0x87, 0x0a)),
    box("ftyp", asciiBytes("jp2 \0\0\0\0jp2 ")),
    box("jp2h", box("ihdr", new Uint8Array(14)), box("colr", Uint8Array.of(1, 0, 0), u32(colours)), ...more),
    box("jp2c", stream),
  ]);
}

/** Bytes of `jp2` before the codestream. */
const JP2_HEAD = 12 + 20 + 8 + 22 + 15 + 8;

function set(file: Uint8Array, at: number, ...bytes: readonly number[]): Uint8Array {
  const copy = Uint8Array.from(file);
  copy.set(bytes, at);
  return copy;
}

/**
 * A few hundred bytes that say of themselves that they are 2048 × 2048 pixels in precincts of 2 × 2, three million of them, all empty: a
 * sound image, but of 2 GB while it is decoded (ISO/IEC 15444-1, A.5.1, A.6.1, B.6).
 */
function bomb(): Uint8Array {
  const size = [0, 0, 8, 0, 0, 0, 8, 0];
  const [STYLE, QUANTISATION] = [51, 65];
  const stream = set(set(codestream(96, 64, { levels: 0 }), 8, ...size), 24, ...size);
  const tile = Buffer.from(stream).indexOf(Buffer.of(0xff, 0x90));
  expect([stream[STYLE + 1], stream[STYLE + 3], stream[QUANTISATION + 1]]).toEqual([0x52, 12, 0x5c]);
  const empty = new Uint8Array(200);
  return concatBytes([
    set(stream.subarray(0, QUANTISATION), STYLE + 3, 13, 1),
    Uint8Array.of(0x11),
    stream.subarray(QUANTISATION, tile),
    Uint8Array.of(0xff, 0x90, 0, 10, 0, 0, ...u32(14 + empty.length), 0, 1, 0xff, 0x93),
    empty,
    Uint8Array.of(0xff, 0xd9),
  ]);
}

type Pixels = Uint8ClampedArray;
async function pixelsOf(photo: Photo): Promise<Pixels> {
  expect(photo.mediaType).toBe("image/jpeg");
  expect([...photo.bytes.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
  const image = await loadImage(Buffer.from(photo.bytes));
  expect([image.width, image.height]).toEqual([photo.widthPx, photo.heightPx]);
  const context = createCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, image.width, image.height).data;
}
/** Mean difference of a sample. */
async function difference(photo: Photo, expected: (x: number, y: number, component: number) => number): Promise<number> {
  const pixels = await pixelsOf(photo);
  let sum = 0;
  for (let at = 0; at < pixels.length; at++) {
    if (at % 4 === 3) continue;
    const pixel = at >> 2;
    sum += Math.abs((pixels[at] ?? 0) - expected(pixel % photo.widthPx, Math.floor(pixel / photo.widthPx), at % 4));
  }
  return sum / ((pixels.length * 3) / 4);
}

describe("a photo in the child", () => {
  const imaging = createImaging({ log: silentLog, clock: systemClock() });
  afterAll(() => imaging.stop());

  it.each([
    ["a JP2 file", () => jp2(codestream(480, 640))],
    ["a raw codestream", () => codestream(480, 640)],
    ["tiles", () => jp2(codestream(480, 640, { tile: 128 }))],
    ["a last box without a length", () => set(jp2(codestream(480, 640)), JP2_HEAD - 8, 0, 0, 0, 0)],
  ])("of %s in JPEG 2000 is the same picture", async (_, make) => {
    const photo = await imaging.photo(make(), never);
    expect([photo.widthPx, photo.heightPx]).toEqual([480, 640]);
    expect(await difference(photo, (x, y, component) => sample(x, y, component, 480, 640))).toBeLessThan(2);
  });

  it("is grey of one component, and turned into colours of luminance and chrominance", async () => {
    const grey = await imaging.photo(jp2(codestream(96, 64, { components: 1 }), 17), never);
    expect(await difference(grey, (x, y) => sample(x, y, 0, 96, 64))).toBeLessThan(2);
    const ycc = await imaging.photo(jp2(codestream(96, 64), 18), never);
    const clamp = (value: number): number => Math.min(255, Math.max(0, value));
    const expected = (x: number, y: number, component: number): number => {
      const [luma, blue, red] = [0, 1, 2].map((one) => sample(x, y, one, 96, 64)) as [number, number, number];
      if (component === 0) return clamp(luma + 1.402 * (red - 128));
      if (component === 2) return clamp(luma + 1.772 * (blue - 128));
      return clamp(luma - 0.344 * (blue - 128) - 0.714 * (red - 128));
    };
    expect(await difference(ycc, expected)).toBeLessThan(4);
  });

  it("of JPEG and PNG is drawn anew: nothing else of the file comes along, and what is transparent is white", async () => {
    const canvas = createCanvas(60, 40);
    const context = canvas.getContext("2d");
    context.fillStyle = "#306090";
    context.fillRect(0, 0, 30, 40);
    const half = (right: number) => (x: number, _y: number, component: number) => (x < 30 ? ([0x30, 0x60, 0x90][component] ?? 0) : right);
    expect(await difference(await imaging.photo(canvas.toBuffer("image/png"), never), half(255))).toBeLessThan(3);
    const comment = concatBytes([Uint8Array.of(0xff, 0xfe, 0, 10), asciiBytes("<script>")]);
    const jpeg = canvas.toBuffer("image/jpeg");
    const photo = await imaging.photo(concatBytes([jpeg.subarray(0, 2), comment, jpeg.subarray(2), asciiBytes("<script>")]), never);
    expect(await difference(photo, half(0))).toBeLessThan(3);
    expect(Buffer.from(photo.bytes).includes("<script>")).toBe(false);
  });

  it("of the largest size fits into the memory that the decoder gets", async () => {
    expect(await imaging.photo(jp2(codestream(2_048, 2_048)), never)).toMatchObject({ widthPx: 2_048, heightPx: 2_048 });
  });

  it("that needs more than that is refused while it grows", async () => {
    await expect(imaging.photo(bomb(), never)).rejects.toMatchObject({ kind: "invalid_params", message: "the portrait is damaged" });
    await expect(imaging.photo(jp2(bomb()), never)).rejects.toMatchObject({ kind: "invalid_params" });
    expect(await imaging.photo(codestream(96, 64), never)).toMatchObject({ widthPx: 96 });
  });

  it("of damaged files is a picture or a named error, and the child lives on", async () => {
    const pid = imaging.pid;
    const files = [
      jp2(codestream(96, 64)),
      codestream(96, 64),
      createCanvas(96, 64).toBuffer("image/jpeg"),
      createCanvas(96, 64).toBuffer("image/png"),
    ];
    await fc.assert(
      fc.asyncProperty(damagedOf(files), async (bytes) => {
        try {
          await imaging.photo(bytes, never);
        } catch (error) {
          expect(error).toMatchObject({ kind: expect.stringMatching(/^(invalid_params|too_large)$/) });
        }
      }),
      { numRuns: 60 },
    );
    expect(imaging.pid).toBe(pid);
  });
});

/** Bytes changed, or cut off, or both. */
function damagedOf(files: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.constantFrom(...files), fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }), fc.nat(), fc.boolean())
    .map(([file, changes, cut, cuts]) => {
      const copy = Uint8Array.from(file);
      for (const [at, byte] of changes) if (at < copy.length) copy[at] = byte;
      return cuts ? copy.subarray(0, cut % copy.length) : copy;
    });
}

describe("a header is believed before anything is decoded", () => {
  it("so that what is too big is refused", async () => {
    const stream = codestream(96, 64);
    const png = createCanvas(4, 4).toBuffer("image/png");
    const jpeg = createCanvas(4, 4).toBuffer("image/jpeg");
    const frame = Buffer.from(jpeg).indexOf(Buffer.of(0xff, 0xc0));
    expect(frame).toBeGreaterThan(0);
    for (const huge of [
      set(stream, 8, 0, 0, 0x10, 1, 0, 0, 0, 1, ...Array<number>(8).fill(0), 0, 0, 0x10, 1, 0, 0, 0, 1),
      set(jp2(stream), JP2_HEAD + 8, 0, 0, 8, 1, 0, 0, 8, 1, ...Array<number>(8).fill(0), 0, 0, 8, 1, 0, 0, 8, 1),
      set(png, 16, 0, 0, 0x10, 1),
      set(jpeg, frame + 5, 8, 1, 8, 1),
      new Uint8Array(MAX_PHOTO_BYTES + 1),
    ]) {
      await expect(makePhoto(huge, never)).rejects.toMatchObject({ kind: "too_large" });
    }
  });

  it.each([
    ["more tiles than any portrait", 24, [0, 0, 0, 2, 0, 0, 0, 2]],
    ["an offset", 16, [0, 0, 0, 1]],
    ["an offset of its tiles", 35, [1]],
    ["a subsampled component", 46, [2]],
    ["16 bits", 42, [15]],
    ["signed samples", 42, [0x87]],
  ])("a codestream with %s is of no known kind", async (_, at, bytes) => {
    const changed = set(codestream(96, 64), at, ...bytes);
    expect(readJpeg2000(changed)).toBe("unsupported");
    await expect(makePhoto(changed, never)).rejects.toMatchObject({
      kind: "invalid_params",
      message: expect.stringContaining("portrait format"),
    });
  });

  it("a JPEG of a great many scans is of no known kind", async () => {
    const jpeg = createCanvas(4, 4).toBuffer("image/jpeg");
    const scan = jpeg.indexOf(Buffer.of(0xff, 0xda));
    const repeated = (count: number): Uint8Array =>
      concatBytes([jpeg.subarray(0, scan), ...Array<Uint8Array>(count).fill(jpeg.subarray(scan, -2)), jpeg.subarray(-2)]);
    expect(await makePhoto(repeated(1), never)).toMatchObject({ widthPx: 4 });
    await expect(makePhoto(repeated(65), never)).rejects.toMatchObject({
      kind: "invalid_params",
      message: expect.stringContaining("portrait format"),
    });
  });

  it("a palette, two or four components and 12 bits are of no known kind", () => {
    expect(readJpeg2000(jp2(codestream(96, 64, { components: 1 }), 17, box("pclr", new Uint8Array(8))))).toBe("unsupported");
    expect(readJpeg2000(codestream(96, 64, { components: 4 }))).toBe("unsupported");
    expect(readJpeg2000(codestream(96, 64, { components: 1, bits: 12 }))).toBe("unsupported");
  });

  it.each([
    ["no height", 12, [0, 0, 0, 0]],
    ["tiles without a width", 24, [0, 0, 0, 0]],
    ["no components", 40, [0, 0]],
    ["a length that lies", 5, [50]],
    ["another marker first", 3, [0x52]],
  ])("a codestream with %s is damaged", async (_, at, bytes) => {
    const changed = set(codestream(96, 64), at, ...bytes);
    expect(readJpeg2000(changed)).toBeUndefined();
    await expect(makePhoto(changed, never)).rejects.toMatchObject({ kind: "invalid_params" });
  });

  it("what is cut off in its body is damaged, and what is no picture is none", async () => {
    const file = jp2(codestream(96, 64));
    const stream = codestream(96, 64);
    for (const bytes of [
      file.subarray(0, 60),
      file.subarray(0, file.length - 50),
      stream.subarray(0, 120),
      new Uint8Array(),
      asciiBytes("GIF89a"),
      asciiBytes("<svg xmlns='http://www.w3.org/2000/svg' width='4' height='4'/>"),
      new Uint8Array(4_000),
    ]) {
      await expect(makePhoto(bytes, never)).rejects.toMatchObject({ kind: "invalid_params" });
    }
  });

  it("any bytes are a header within its bounds, or none", () => {
    const files = [jp2(codestream(96, 64)), codestream(96, 64)];
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damagedOf(files)), (bytes) => {
        const image = readJpeg2000(bytes);
        if (image && image !== "unsupported") {
          expect(image.width * image.height).toBeGreaterThan(0);
          expect(image.codestream.length).toBeLessThanOrEqual(bytes.length);
        }
      }),
      { numRuns: 1_000 },
    );
    // Boxes of no length would be an endless walk.
    expect(
      readJpeg2000(concatBytes([box("jP  ", new Uint8Array(4)), Uint8Array.of(0, 0, 0, 1), asciiBytes("free"), new Uint8Array(8)])),
    ).toBeUndefined();
  });

  it("a caller who has gone is not served", async () => {
    await expect(makePhoto(createCanvas(4, 4).toBuffer("image/png"), AbortSignal.abort(new RangeError("gone")))).rejects.toThrow("gone");
  });
});
