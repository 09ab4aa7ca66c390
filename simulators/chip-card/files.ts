import { type Answer, type Command, status } from "./apdu.js";
import { bigEndian, dataObjects, tlv } from "./der.js";

/** File identifiers (ICAO 9303-10 §3.6 to §4). */
export const EF_CARD_ACCESS = 0x011c;
export const EF_CARD_SECURITY = 0x011d;
export const EF_COM = 0x011e;
export const EF_SOD = 0x011d;
export const dataGroupFile = (number: number): number => 0x0100 + number;

/** The short identifier is the last five bits of the long one, in both folders. */
export function fileOfShortId(files: Iterable<number>, shortId: number): number | undefined {
  for (const file of files) if ((file & 0x1f) === shortId) return file;
  return undefined;
}

/** Where a READ BINARY wants to read (ISO 7816-4 §11.2.3). */
export interface ReadRequest {
  /** Undefined: in the selected file. */
  readonly shortId?: number;
  readonly fileId?: number;
  readonly offset: number;
  /** The answer is a data object 53. */
  readonly wrapped: boolean;
}

/** The status word where the parameters make no sense. */
export function parseReadBinary({ ins, p1, p2, data }: Command): ReadRequest | number {
  if (ins === 0xb0) {
    if (data.length > 0) return 0x6700;
    if (p1 < 0x80) return { offset: p1 * 256 + p2, wrapped: false };
    return (p1 & 0x60) === 0 ? { shortId: p1 & 0x1f, offset: p2, wrapped: false } : 0x6a86;
  }
  const objects = dataObjects(data);
  const [object] = objects ?? [];
  if (objects?.length !== 1 || object?.tag !== 0x54 || object.value.length < 1 || object.value.length > 4) return 0x6a80;
  const offset = object.value.reduce((value, byte) => value * 256 + byte, 0);
  const fileId = p1 * 256 + p2;
  if (fileId === 0) return { offset, wrapped: true };
  return fileId < 0x1f ? { shortId: fileId, offset, wrapped: true } : { fileId, offset, wrapped: true };
}

export interface ReadLimits {
  /** The most bytes that the answer may have. */
  readonly roomBytes: number;
  readonly ne: number;
  /** Le was all zero: fewer bytes are no surprise. */
  readonly neIsMaximum: boolean;
}

export function readFile(file: Uint8Array, { offset, wrapped }: ReadRequest, { roomBytes, ne, neIsMaximum }: ReadLimits): Answer {
  if (offset > file.length || (offset === file.length && file.length > 0)) return status(0x6b00);
  const most = Math.min(ne, roomBytes);
  // 53 takes its tag and its length field from what Le allows.
  const header = wrapped ? 1 + (most - 2 < 0x80 ? 1 : 1 + bigEndian(most).length) : 0;
  if (most <= header) return status(0x6700);
  const data = file.slice(offset, offset + most - header);
  const short = data.length + header < ne && offset + data.length === file.length && !neIsMaximum;
  return { data: wrapped ? tlv(0x53, data) : data, sw: short ? 0x6282 : 0x9000 };
}
