import sharp, { type Sharp } from "sharp";
import type { RawPage } from "../contracts/document-scanner.js";
import { DeviceError } from "../kernel/errors.js";
import { pnmHeader, pnmPicture } from "./document-pnm.js";
import { hasManyScans, isWhole } from "./jpeg-whole.js";

/** A4 in colour at 1000 dpi. More would not fit into the memory of a small station. */
export const MAX_PIXELS = 120_000_000;
/** So many pixels of colour without compression. */
export const MAX_FILE_BYTES = 3 * MAX_PIXELS + 1_024;
const MAX_SIDE_PX = 65_500;

sharp.cache(false);
sharp.concurrency(1);
// Whatever a file says of itself, only these three decoders ever see it.
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({ operation: ["VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadTiff"] });

/** A hostile file whose header has been believed, and nothing else. */
export interface Source {
  readonly width: number;
  readonly height: number;
  /** A new pipeline that decodes it; it rejects where the file is damaged. `random`: pixels are wanted out of order. */
  read(random?: boolean): Sharp;
}

const MAGIC = {
  "image/jpeg": [[0xff, 0xd8, 0xff]],
  "image/png": [[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  "image/tiff": [
    [0x49, 0x49, 0x2a, 0],
    [0x4d, 0x4d, 0, 0x2a],
  ],
} as const;

/** @throws DeviceError `device_fault`, `too_large` */
export async function openSource(bytes: Uint8Array, mediaType: RawPage["mediaType"]): Promise<Source> {
  if (bytes.length > MAX_FILE_BYTES) throw tooLarge();
  if (mediaType === "image/x-portable-anymap") return openPnm(bytes);
  if (!MAGIC[mediaType].some((magic) => magic.every((byte, index) => bytes[index] === byte))) throw damaged();
  if (mediaType === "image/jpeg" && (hasManyScans(bytes) || !isWhole(bytes))) throw damaged();
  const read = (random = false): Sharp =>
    sharp(bytes, { failOn: "error", limitInputPixels: MAX_PIXELS, sequentialRead: !random, pages: 1 });
  const { width, height } = await read().metadata().catch(asDamaged);
  checkSize(width, height);
  return { width, height, read };
}

interface RawShape {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
}

export function rawSource(samples: Uint8Array, { width, height, channels }: RawShape): Source {
  return { width, height, read: () => sharp(samples, { raw: { width, height, channels }, limitInputPixels: MAX_PIXELS }) };
}

function openPnm(bytes: Uint8Array): Source {
  const header = pnmHeader(bytes);
  if (!header) throw damaged();
  checkSize(header.width, header.height);
  const picture = pnmPicture(bytes, header);
  if (!picture) throw damaged();
  return rawSource(picture.samples, picture);
}

function checkSize(width: number, height: number): void {
  if (width > MAX_SIDE_PX || height > MAX_SIDE_PX || width * height > MAX_PIXELS) throw tooLarge();
}

/** What sharp says of a file may hold parts of it: it stays here. */
export function asDamaged(cause: unknown): never {
  if (cause instanceof DeviceError) throw cause;
  if (cause instanceof Error && /pixel limit/i.test(cause.message)) throw tooLarge();
  throw damaged();
}

export function damaged(): DeviceError {
  return new DeviceError("device_fault", {
    message: "the device sent a picture that is damaged",
    hint: "Try again; if it stays, switch the device off and on",
  });
}

function tooLarge(): DeviceError {
  return new DeviceError("too_large", {
    message: `the device sent a picture of more than ${MAX_PIXELS} pixels`,
    hint: "Use a lower resolution",
  });
}
