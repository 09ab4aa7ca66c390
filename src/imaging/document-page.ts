import sharp, { type Sharp } from "sharp";
import type { RawPage } from "../contracts/document-scanner.js";
import type { PreparedPage, PrepareOrder } from "../contracts/imaging.js";
import { asciiBytes, concatBytes } from "../kernel/bytes.js";
import { rowBytes } from "./bitmap.js";
import { isBlank } from "./document-blank.js";
import { type Frame, sheetFrame, wholeFrame } from "./document-frame.js";
import { type Grey, readInk } from "./document-ink.js";
import { straightening } from "./document-skew.js";
import { asDamaged, openSource, type Source } from "./document-source.js";
import { encodePng } from "./png.js";

/** Wide enough to tell a faint line of pencil from dust, and small enough to be quick. */
const MEASURED = { width: 620, height: 2_000 };
const THUMBNAIL = { sidePx: 480, quality: 70 };
export const BEST_QUALITY = 85;
/** Of the paper's brightness: pencil becomes black, what shines through does not. */
const INK_SHARE = 0.7;

type Rgb = { readonly r: number; readonly g: number; readonly b: number };

/** Runs in the documents child. @throws DeviceError `device_fault`, `too_large`; the signal's reason between two steps */
export async function preparePage(page: RawPage, order: PrepareOrder, signal: AbortSignal): Promise<PreparedPage> {
  const source = await openSource(page.bytes, page.mediaType);
  try {
    const small = await makeSmall(source, page.resolutionDpi);
    signal.throwIfAborted();
    const ink = readInk(small.grey);
    const blank = isBlank(small.grey, ink);
    // Shadows and dust have no lines either.
    const turn = order.deskew && !blank ? straightening(small.grey, ink) : 0;
    const whole = wholeFrame(small.grey, ink, turn);
    const frame = order.cropToPage ? sheetFrame(small.grey, turn, whole) : whole;
    const cut = cutting(source, turn, scaled(frame, source, small.grey), paperColor(small, ink.background));
    const { data, info } = await encode(cut(source.read(turn !== 0)), order, page.resolutionDpi, ink.background);
    signal.throwIfAborted();
    return {
      mediaType: order.mode === "black_white" ? "image/png" : "image/jpeg",
      bytes: data,
      widthPx: info.width,
      heightPx: info.height,
      resolutionDpi: page.resolutionDpi,
      skewDegrees: turn,
      blank,
      thumbnail: await makeThumbnail(data, order),
    };
  } catch (thrown) {
    signal.throwIfAborted();
    return asDamaged(thrown);
  }
}

interface Small {
  readonly grey: Grey;
  readonly rgb: Uint8Array;
}

async function makeSmall(source: Source, resolutionDpi: number): Promise<Small> {
  const { data, info } = await opaque(source.read())
    .resize({ ...MEASURED, fit: "inside", withoutEnlargement: true })
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const pixels = new Uint8Array(width * height);
  for (let at = 0, from = 0; at < pixels.length; at++, from += 3) {
    pixels[at] = (77 * (data[from] ?? 0) + 150 * (data[from + 1] ?? 0) + 29 * (data[from + 2] ?? 0)) >> 8;
  }
  return { rgb: data, grey: { width, height, pixels, pxPerMm: ((width / source.width) * resolutionDpi) / 25.4 } };
}

const opaque = (image: Sharp): Sharp => image.flatten({ background: "white" });

/** The mean of what is as bright as the paper. */
function paperColor({ rgb, grey: { pixels } }: Small, background: number): Rgb {
  const sums = [0, 0, 0];
  let count = 0;
  for (const [at, value] of pixels.entries()) {
    if (Math.abs(value - background) > 4) continue;
    for (let channel = 0; channel < 3; channel++) sums[channel] = (sums[channel] ?? 0) + (rgb[3 * at + channel] ?? 0);
    count++;
  }
  const [r = 255, g = 255, b = 255] = sums.map((sum) => Math.round(sum / Math.max(1, count)));
  return { r, g, b };
}

/** The frame in the source's own pixels. */
function scaled({ left, top, right, bottom }: Frame, source: Source, small: Grey): Frame {
  const [across, down] = [source.width / small.width, source.height / small.height];
  return { left: left * across, top: top * down, right: right * across, bottom: bottom * down };
}

/** Turns, with the paper's colour where nothing was scanned, and cuts the frame out. */
function cutting(source: Source, turn: number, frame: Frame, background: Rgb): (image: Sharp) => Sharp {
  const [sin, cos] = [Math.abs(Math.sin((turn * Math.PI) / 180)), Math.cos((turn * Math.PI) / 180)];
  // What the turned picture measures at least; it is never known to the pixel.
  const slack = turn === 0 ? 0 : 1;
  const [allWidth, allHeight] = [source.width * cos + source.height * sin, source.height * cos + source.width * sin];
  const across = span(frame.left, frame.right, Math.floor(allWidth) - slack);
  const down = span(frame.top, frame.bottom, Math.floor(allHeight) - slack);
  const region = { left: across.from, top: down.from, width: across.size, height: down.size };
  const isAll = turn === 0 && region.width === source.width && region.height === source.height;
  return (image) => {
    const turned = turn === 0 ? opaque(image) : opaque(image).rotate(turn, { background });
    return isAll ? turned : turned.extract(region);
  };
}

/** From the middle to the edge: pixels of a picture of `all` pixels. */
function span(low: number, high: number, all: number): { readonly from: number; readonly size: number } {
  const from = Math.max(0, Math.min(all - 1, Math.round(low + all / 2)));
  return { from, size: Math.max(1, Math.min(all - from, Math.round(high - low))) };
}

interface Encoded {
  readonly data: Uint8Array;
  readonly info: { readonly width: number; readonly height: number };
}

async function encode(image: Sharp, { mode }: PrepareOrder, resolutionDpi: number, background: number): Promise<Encoded> {
  if (mode === "black_white") return await encodeBlackWhite(image, resolutionDpi, INK_SHARE * background);
  return await toJpeg(image.toColourspace(mode === "gray" ? "b-w" : "srgb"), BEST_QUALITY, resolutionDpi);
}

/** Colours at full resolution where quality matters: thin red letters on a stamp. Nothing of the source's own metadata comes along. */
export async function toJpeg(image: Sharp, quality: number, resolutionDpi: number): Promise<Encoded> {
  const encoded = image.jpeg({ quality, chromaSubsampling: quality >= 75 ? "4:4:4" : "4:2:0" });
  const { data, info } = await encoded.toBuffer({ resolveWithObject: true });
  // The library leaves out the JFIF segment with the resolution unless it may keep all of the source's metadata.
  return { data: concatBytes([data.subarray(0, 2), jfif(Math.round(resolutionDpi)), data.subarray(2)]), info };
}

/** APP0 of JFIF 1.01: dots per inch across and down, no thumbnail. */
function jfif(dpi: number): Uint8Array {
  return Uint8Array.of(0xff, 0xe0, 0, 16, ...asciiBytes("JFIF\0"), 1, 1, 1, dpi >> 8, dpi & 0xff, dpi >> 8, dpi & 0xff, 0, 0);
}

/** One bit a pixel; black is what is darker than `threshold`. */
export async function encodeBlackWhite(image: Sharp, resolutionDpi: number, threshold: number): Promise<Encoded> {
  const { data, info } = await image.toColourspace("b-w").raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const stride = rowBytes(width);
  const bits = new Uint8Array(stride * height);
  for (let y = 0, from = 0; y < height; y++) {
    for (let x = 0; x < width; x++, from += channels) {
      if ((data[from] ?? 255) >= threshold) continue;
      const at = y * stride + (x >> 3);
      bits[at] = (bits[at] ?? 0) | (0x80 >> (x & 7));
    }
  }
  return { data: await encodePng({ widthDots: width, heightDots: height, bits }, resolutionDpi), info };
}

async function makeThumbnail(bytes: Uint8Array, { mode }: PrepareOrder): Promise<Uint8Array> {
  const { sidePx, quality } = THUMBNAIL;
  return await sharp(bytes, { sequentialRead: true })
    .resize({ width: sidePx, height: sidePx, fit: "inside", withoutEnlargement: true })
    .toColourspace(mode === "color" ? "srgb" : "b-w")
    .jpeg({ quality })
    .toBuffer();
}
