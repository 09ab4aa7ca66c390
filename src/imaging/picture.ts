import { createCanvas, loadImage } from "@napi-rs/canvas";
import type { Bitmap, DrawableBlock, LayoutStyle } from "../contracts/imaging.js";
import { DeviceError } from "../kernel/errors.js";
import { blankBitmap, offsetOf, rowBytes, tooLong } from "./bitmap.js";
import { imageSize } from "./image-size.js";

type Picture = Extract<DrawableBlock, { type: "image" }>;

const MAX_PIXELS = 16_000_000;
/** One metre of paper. */
const MAX_PICTURE_ROWS = 8_000;
const LINE_ART_THRESHOLD = 128;

/** @throws DeviceError `invalid_params` for a file that is no such image, `too_large` for one that is too big. */
export async function drawPicture(block: Picture, { widthDots }: LayoutStyle): Promise<Bitmap> {
  const file = Buffer.from(block.base64, "base64");
  const size = imageSize(file, block.mediaType);
  if (size.width * size.height > MAX_PIXELS) {
    throw new DeviceError("too_large", {
      message: `the image has more than ${MAX_PIXELS} pixels`,
      hint: "Scale the image down to the paper's width",
    });
  }
  const width = Math.min(block.widthDots ?? size.width, widthDots);
  const height = Math.max(1, Math.round((size.height * width) / size.width));
  if (height > MAX_PICTURE_ROWS) throw tooLong();
  const gray = await grayscale(file, width, height);
  const black = block.dither ? atkinson(gray, width, height) : (at: number) => (gray[at] ?? 255) < LINE_ART_THRESHOLD;

  const bitmap = blankBitmap(widthDots, height);
  const left = offsetOf(block.align ?? "center", widthDots, width);
  const stride = rowBytes(widthDots);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!black(y * width + x)) continue;
      const at = y * stride + ((left + x) >> 3);
      bitmap.bits[at] = (bitmap.bits[at] ?? 0) | (0x80 >> ((left + x) & 7));
    }
  }
  return bitmap;
}

/** Decoded, scaled and laid on white paper; one value from 0 (black) to 255 per dot. */
async function grayscale(file: Buffer, width: number, height: number): Promise<Float32Array> {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  try {
    const image = await loadImage(file);
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, width, height);
  } catch (cause) {
    throw new DeviceError("invalid_params", { message: "the image cannot be decoded", hint: "Send a PNG or JPEG file in base64", cause });
  }
  const { data } = context.getImageData(0, 0, width, height);
  const gray = new Float32Array(width * height);
  for (let at = 0; at < gray.length; at++) {
    gray[at] = 0.299 * (data[at * 4] ?? 0) + 0.587 * (data[at * 4 + 1] ?? 0) + 0.114 * (data[at * 4 + 2] ?? 0);
  }
  return gray;
}

/** Atkinson's dither passes on three quarters of the error, which keeps faces clear on thermal paper. Asked left to right, top to bottom. */
function atkinson(gray: Float32Array, width: number, height: number): (at: number) => boolean {
  const spread = [
    [1, 0],
    [2, 0],
    [-1, 1],
    [0, 1],
    [1, 1],
    [0, 2],
  ] as const;
  return (at) => {
    const x = at % width;
    const y = (at - x) / width;
    const value = gray[at] ?? 255;
    const black = value < 128;
    const share = (value - (black ? 0 : 255)) / 8;
    for (const [dx, dy] of spread) {
      if (x + dx < 0 || x + dx >= width || y + dy >= height) continue;
      const neighbour = at + dy * width + dx;
      gray[neighbour] = (gray[neighbour] ?? 0) + share;
    }
    return black;
  };
}
