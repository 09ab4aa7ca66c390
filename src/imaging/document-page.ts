import sharp, { type Sharp } from "sharp";
import type { RawPage } from "../contracts/document-scanner.js";
import type { PreparedPage, PrepareOrder } from "../contracts/imaging.js";
import { asciiBytes, concatBytes } from "../kernel/bytes.js";
import { rowBytes } from "./bitmap.js";
import { isBlank } from "./document-blank.js";
import { type Frame, sheetFrame, wholeFrame } from "./document-frame.js";
import { type Grey, readInk } from "./document-ink.js";
import { straightening } from "./document-skew.js";
import { asDamaged, openSource, rawSource, type Source } from "./document-source.js";
import { encodePng } from "./png.js";

/** Wide enough to tell a faint line of pencil from dust, and small enough to be quick. */
const MEASURED = { width: 620, height: 2_000 };
const THUMBNAIL = { sidePx: 480, quality: 70 };
export const BEST_QUALITY = 85;
/** Of the paper's brightness: pencil becomes black, what shines through does not. */
const INK_SHARE = 0.7;

/** Of the small picture. Less than a letter has no colour worth keeping. */
const HUE = { differs: 16, mostPx: 8 };
/** Of the picture: a larger part is not worth its copy. */
const MOST_PART = 0.8;

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
    const paper = paperColor(small, ink.background);
    const cut = await cutOut(source, turn, scaled(frame, source, small.grey), paper, order.mode !== "color");
    signal.throwIfAborted();
    const look = { background: ink.background, colorful: isColorful(small, paper) };
    const { data, info } = await encode(cut, order, page.resolutionDpi, look);
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
  let [r, g, b, count] = [0, 0, 0, 0];
  for (let at = 0; at < pixels.length; at++) {
    if (Math.abs((pixels[at] ?? 0) - background) > 4) continue;
    r += rgb[3 * at] ?? 0;
    g += rgb[3 * at + 1] ?? 0;
    b += rgb[3 * at + 2] ?? 0;
    count++;
  }
  if (count === 0) return { r: 255, g: 255, b: 255 };
  return { r: Math.round(r / count), g: Math.round(g / count), b: Math.round(b / count) };
}

/** Something on it, were it only a word in red, has another hue than the paper. */
function isColorful({ rgb }: Small, paper: Rgb): boolean {
  const [toGreen, toBlue] = [paper.r - paper.g, paper.r - paper.b];
  let count = 0;
  for (let at = 0; at < rgb.length; at += 3) {
    const r = rgb[at] ?? 0;
    const isOther = Math.abs(r - (rgb[at + 1] ?? 0) - toGreen) > HUE.differs || Math.abs(r - (rgb[at + 2] ?? 0) - toBlue) > HUE.differs;
    if (isOther && ++count > HUE.mostPx) return true;
  }
  return false;
}

/** The frame in the source's own pixels. */
function scaled({ left, top, right, bottom }: Frame, source: Source, small: Grey): Frame {
  const [across, down] = [source.width / small.width, source.height / small.height];
  return { left: left * across, top: top * down, right: right * across, bottom: bottom * down };
}

/** Turns, with the paper's colour where nothing was scanned, and cuts the frame out. */
async function cutOut(source: Source, turn: number, frame: Frame, background: Rgb, isGrey: boolean): Promise<Sharp> {
  if (turn === 0) {
    const region = regionOf(frame, source.width, source.height);
    const isAll = region.width === source.width && region.height === source.height;
    return isAll ? opaque(source.read()) : opaque(source.read()).extract(region);
  }
  const [sin, cos] = [Math.sin((turn * Math.PI) / 180), Math.cos((turn * Math.PI) / 180)];
  const { part, dx, dy } = await partAround(source, frame, { sin, cos, isGrey });
  // What the turned picture measures at least; it is never known to the pixel.
  const width = Math.floor(part.width * cos + part.height * Math.abs(sin)) - 1;
  const height = Math.floor(part.height * cos + part.width * Math.abs(sin)) - 1;
  const [x, y] = [dx * cos - dy * sin, dx * sin + dy * cos];
  const moved = { left: frame.left - x, top: frame.top - y, right: frame.right - x, bottom: frame.bottom - y };
  return opaque(part.read(true))
    .rotate(turn, { background })
    .extract(regionOf(moved, width, height));
}

interface Turning {
  readonly sin: number;
  readonly cos: number;
  readonly isGrey: boolean;
}

/**
 * Turning costs by the pixel and the sample: of a card on the glass only the card is turned, and what is to be grey is turned in grey.
 * `dx`, `dy`: how far the part's middle lies from the source's.
 */
async function partAround(source: Source, { left, top, right, bottom }: Frame, { sin, cos, isGrey }: Turning) {
  const corners = [
    [left, top],
    [right, top],
    [left, bottom],
    [right, bottom],
  ] as const;
  const xs = corners.map(([x, y]) => x * cos + y * sin);
  const ys = corners.map(([x, y]) => y * cos - x * sin);
  // Pixels at the edge are mixed with their neighbours.
  const around = (values: readonly number[]) => [Math.min(...values) - 2, Math.max(...values) + 2] as const;
  const [[west, east], [north, south]] = [around(xs), around(ys)];
  const region = regionOf({ left: west, top: north, right: east, bottom: south }, source.width, source.height);
  const isMost = region.width * region.height > MOST_PART * source.width * source.height;
  if (isMost && !isGrey) return { part: source, dx: 0, dy: 0 };
  const image = opaque(source.read())
    .extract(region)
    .toColourspace(isGrey ? "b-w" : "srgb");
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return {
    part: rawSource(data, info),
    dx: region.left + (region.width - source.width) / 2,
    dy: region.top + (region.height - source.height) / 2,
  };
}

function regionOf({ left, top, right, bottom }: Frame, width: number, height: number) {
  const across = span(left, right, width);
  const down = span(top, bottom, height);
  return { left: across.from, top: down.from, width: across.size, height: down.size };
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

interface Look {
  readonly background: number;
  readonly colorful: boolean;
}

async function encode(image: Sharp, { mode }: PrepareOrder, resolutionDpi: number, { background, colorful }: Look): Promise<Encoded> {
  if (mode === "black_white") return await encodeBlackWhite(image, resolutionDpi, INK_SHARE * background);
  return await toJpeg(image.toColourspace(mode === "gray" ? "b-w" : "srgb"), BEST_QUALITY, resolutionDpi, colorful);
}

/**
 * Colours at full resolution where there are some and quality matters: thin red letters on a stamp. Encoding them takes twice the
 * time. Nothing of the source's own metadata comes along.
 */
export async function toJpeg(image: Sharp, quality: number, resolutionDpi: number, colorful: boolean): Promise<Encoded> {
  const encoded = image.jpeg({ quality, chromaSubsampling: colorful && quality >= 75 ? "4:4:4" : "4:2:0" });
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
