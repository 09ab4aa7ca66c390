import { type Canvas, createCanvas, loadImage } from "@napi-rs/canvas";
import type { Photo } from "../contracts/imaging.js";
import { DeviceError } from "../kernel/errors.js";
import { type ImageSize, sizeInHeader } from "./image-size.js";
import { hasEnd, hasManyScans } from "./jpeg-whole.js";
import { isJpeg2000, type Jpeg2000, readJpeg2000 } from "./jpeg2000.js";
import { decodeJpeg2000 } from "./openjpeg.js";

/** Portraits have 15 to 60 kB and less than half a million pixels: this is far from any of them. */
export const MAX_PHOTO_BYTES = 2 * 1_024 * 1_024;
const MAX_SIDE_PX = 4_096;
const MAX_PIXELS = 4_194_304;
const QUALITY = 92;

/**
 * JPEG, JPEG 2000 (file or codestream) or PNG → JPEG. Every image is drawn anew, so that no byte of a hostile one gets to a browser.
 * Runs in the imaging child.
 * @throws DeviceError `invalid_params`, `too_large`; the signal's reason between two steps
 */
export async function makePhoto(file: Uint8Array, signal: AbortSignal): Promise<Photo> {
  if (file.length > MAX_PHOTO_BYTES) throw tooLarge();
  const canvas = isJpeg2000(file) ? await drawJpeg2000(file) : await drawOther(file);
  signal.throwIfAborted();
  return {
    mediaType: "image/jpeg",
    bytes: new Uint8Array(await canvas.encode("jpeg", QUALITY)),
    widthPx: canvas.width,
    heightPx: canvas.height,
  };
}

async function drawOther(file: Uint8Array): Promise<Canvas> {
  const mediaType = file[0] === 0xff ? "image/jpeg" : "image/png";
  const size = sizeInHeader(file, mediaType);
  if (!size) throw unsupported();
  checkSize(size);
  if (mediaType === "image/jpeg") {
    if (hasManyScans(file)) throw unsupported();
    if (!hasEnd(file)) throw damaged();
  }
  const canvas = createCanvas(size.width, size.height);
  const context = canvas.getContext("2d");
  // JPEG knows no transparency.
  context.fillStyle = "white";
  context.fillRect(0, 0, size.width, size.height);
  try {
    context.drawImage(await loadImage(file), 0, 0, size.width, size.height);
  } catch (cause) {
    throw damaged(cause);
  }
  return canvas;
}

async function drawJpeg2000(file: Uint8Array): Promise<Canvas> {
  const image = readJpeg2000(file);
  if (image === "unsupported") throw unsupported();
  if (!image) throw damaged();
  checkSize(image);
  const samples = await decodeJpeg2000(image);
  if (!samples) throw damaged();
  const canvas = createCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(image.width, image.height);
  toRgba(image, samples, pixels.data);
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function toRgba({ components, isYcc }: Jpeg2000, samples: Uint8Array, rgba: Uint8ClampedArray): void {
  for (let from = 0, to = 0; to < rgba.length; from += components, to += 4) {
    const a = samples[from] ?? 0;
    const b = components === 1 ? a : (samples[from + 1] ?? 0);
    const c = components === 1 ? a : (samples[from + 2] ?? 0);
    // IEC 61966-2-1, amendment 1: the matrix of JPEG's own YCbCr.
    rgba[to] = isYcc ? a + 1.402 * (c - 128) : a;
    rgba[to + 1] = isYcc ? a - 0.344_136 * (b - 128) - 0.714_136 * (c - 128) : b;
    rgba[to + 2] = isYcc ? a + 1.772 * (b - 128) : c;
    rgba[to + 3] = 255;
  }
}

function checkSize({ width, height }: ImageSize): void {
  if (width > MAX_SIDE_PX || height > MAX_SIDE_PX || width * height > MAX_PIXELS) throw tooLarge();
}

const HINT = "Ask for the original and convert it elsewhere";

function tooLarge(): DeviceError {
  return new DeviceError("too_large", {
    message: `the portrait has more than ${MAX_PHOTO_BYTES} bytes or ${MAX_PIXELS} pixels`,
    hint: HINT,
  });
}

function unsupported(): DeviceError {
  return new DeviceError("invalid_params", { message: "portrait format: neither JPEG, PNG nor plain JPEG 2000", hint: HINT });
}

function damaged(cause?: unknown): DeviceError {
  return new DeviceError("invalid_params", { message: "the portrait is damaged", hint: HINT, cause });
}
