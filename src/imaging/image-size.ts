import { DeviceError } from "../kernel/errors.js";

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Size in pixels by the file's header, so that a picture that is too big is refused before anything decodes it. @throws DeviceError `invalid_params` */
export function imageSize(file: Uint8Array, mediaType: "image/png" | "image/jpeg"): ImageSize {
  const size = sizeInHeader(file, mediaType);
  if (!size)
    throw new DeviceError("invalid_params", { message: `the image is no ${mediaType}`, hint: "Send a PNG or JPEG file in base64" });
  return size;
}

/** As `imageSize`; undefined where the file is no such image or has no pixels. */
export function sizeInHeader(file: Uint8Array, mediaType: "image/png" | "image/jpeg"): ImageSize | undefined {
  const size = mediaType === "image/png" ? pngSize(file) : jpegSize(file);
  return size && size.width > 0 && size.height > 0 ? size : undefined;
}

/** PNG (Third Edition), 5.2 and 11.2.1: IHDR is the first chunk. */
function pngSize(file: Uint8Array): ImageSize | undefined {
  if (file.length < 33 || PNG_SIGNATURE.some((byte, index) => file[index] !== byte)) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const IHDR = 0x49484452;
  return view.getUint32(12) === IHDR ? { width: view.getUint32(16), height: view.getUint32(20) } : undefined;
}

/** ITU-T T.81, B.1.1.4 and B.2.2: segments up to the frame header (SOF). */
function jpegSize(file: Uint8Array): ImageSize | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 4 || view.getUint16(0) !== 0xffd8) return undefined;
  let at = 2;
  while (at + 9 <= file.length) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at++; // fill byte
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    if (marker === 0xd9 || marker === 0xda) return undefined;
    const length = view.getUint16(at + 2);
    if (length < 2) return undefined;
    at += 2 + length;
  }
  return undefined;
}
