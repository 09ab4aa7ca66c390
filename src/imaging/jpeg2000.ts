/** The header of a JPEG 2000 image, as far as a portrait needs it. */
export interface Jpeg2000 {
  readonly width: number;
  readonly height: number;
  /** Grey, or three colours; 8 bits each, without subsampling. */
  readonly components: 1 | 3;
  /** The colours are luminance and two chrominances (sYCC), and not red, green and blue. */
  readonly isYcc: boolean;
  /** Without the boxes around it, so that nothing else needs to read those. */
  readonly codestream: Uint8Array;
}

/** A JPEG 2000 image of a kind that no portrait is. */
export type Unsupported = "unsupported";

const SIGNATURE = [0x00, 0x00, 0x00, 0x0c, 0x6a, 0x50, 0x20, 0x20];
const SOC_SIZ = [0xff, 0x4f, 0xff, 0x51];
const JP2H = 0x6a703268;
const JP2C = 0x6a703263;
const COLR = 0x636f6c72;
const PCLR = 0x70636c72;
/** A file has five or six; each one costs a look. */
const MAX_BOXES = 64;
const ENUMERATED = 1;
const SYCC = 18;
/** Each tile costs the decoder several kilobytes before it has seen a pixel. */
const MAX_TILES = 1_024;

interface Box {
  readonly type: number;
  readonly content: Uint8Array;
}

export function isJpeg2000(file: Uint8Array): boolean {
  return startsWith(file, SIGNATURE) || startsWith(file, SOC_SIZ.slice(0, 3));
}

/** A JP2 file or a raw codestream. Undefined where the header is damaged. */
export function readJpeg2000(file: Uint8Array): Jpeg2000 | Unsupported | undefined {
  if (!startsWith(file, SIGNATURE)) return readCodestream(file, false);
  let isYcc = false;
  for (const { type, content } of boxes(file)) {
    if (type === JP2H) {
      for (const inner of boxes(content)) {
        // A palette turns the numbers of components and bits into others.
        if (inner.type === PCLR) return "unsupported";
        if (inner.type === COLR && inner.content.length >= 7 && inner.content[0] === ENUMERATED)
          isYcc = viewOf(inner.content).getUint32(3) === SYCC;
      }
    }
    if (type === JP2C) return readCodestream(content, isYcc);
  }
  return undefined;
}

/** ISO/IEC 15444-1, I.4: length and type, then the content; length 1 has a long one behind it, length 0 runs to the end. */
function boxes(bytes: Uint8Array): Box[] {
  const view = viewOf(bytes);
  const found: Box[] = [];
  for (let at = 0; at + 8 <= bytes.length && found.length < MAX_BOXES; ) {
    const type = view.getUint32(at + 4);
    let [length, start] = [view.getUint32(at), at + 8];
    if (length === 1) {
      if (at + 16 > bytes.length) break;
      length = Number(view.getBigUint64(at + 8));
      start = at + 16;
    }
    const end = length === 0 ? bytes.length : at + length;
    if (end < start || end > bytes.length) break;
    found.push({ type, content: bytes.subarray(start, end) });
    at = end;
  }
  return found;
}

/** ISO/IEC 15444-1, A.5.1: the size marker segment follows the start at once. */
function readCodestream(codestream: Uint8Array, isYcc: boolean): Jpeg2000 | Unsupported | undefined {
  if (!startsWith(codestream, SOC_SIZ) || codestream.length < 45) return undefined;
  const view = viewOf(codestream);
  const [width = 0, height = 0, ...offsetsAndTile] = Array.from({ length: 8 }, (_, index) => view.getUint32(8 + 4 * index));
  const [left, top, tileWidth = 0, tileHeight = 0, tileLeft, tileTop] = offsetsAndTile;
  const count = view.getUint16(40);
  if (width === 0 || height === 0 || tileWidth === 0 || tileHeight === 0 || count === 0) return undefined;
  if (view.getUint16(4) !== 38 + 3 * count || codestream.length < 42 + 3 * count) return undefined;
  if ([left, top, tileLeft, tileTop].some((offset) => offset !== 0)) return "unsupported";
  if (Math.ceil(width / tileWidth) * Math.ceil(height / tileHeight) > MAX_TILES) return "unsupported";
  if (count !== 1 && count !== 3) return "unsupported";
  for (let at = 42; at < 42 + 3 * count; at += 3) {
    // 8 bits without sign, and as many samples as pixels.
    if (codestream[at] !== 7 || codestream[at + 1] !== 1 || codestream[at + 2] !== 1) return "unsupported";
  }
  return { width, height, components: count, isYcc: isYcc && count === 3, codestream };
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
