/** Progressive JPEGs have about ten. Each goes over the whole image again, and may itself be a few bytes long. */
const MAX_SCANS = 64;

/** ITU-T T.81, B.1.1.2: in coded data FF is followed by 00, so that DA behind it is always the marker of a scan. */
export function hasManyScans(jpeg: Uint8Array): boolean {
  const bytes = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  let scans = 0;
  for (let at = bytes.indexOf(SCAN); at >= 0; at = bytes.indexOf(SCAN, at + 2)) if (++scans > MAX_SCANS) return true;
  return false;
}
const SCAN = Buffer.of(0xff, 0xda);

/** Behind the last scan, the marker that ends the image: without it a part is missing, which decoders paint grey without a word. */
export function hasEnd(jpeg: Uint8Array): boolean {
  const bytes = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  return bytes.lastIndexOf("\xff\xd9", undefined, "latin1") > bytes.lastIndexOf("\xff\xda", undefined, "latin1");
}

const MARKER = 0xff;
const END = 0xd9;
const SCAN_BEGINS = 0xda;
/** T.81, table B.1: what may stand between segments and has a length. 02 to BF are reserved, D0 to D7 restart a scan. */
const hasLength = (code: number): boolean => code >= 0xc0 && code !== 0xc8 && !(code >= 0xd0 && code <= 0xd9);
const isWithinScan = (code: number | undefined): boolean => code === 0 || (code !== undefined && code >= 0xd0 && code <= 0xd7);

/**
 * Whether segment follows segment from the first marker to the end (T.81, B.1.1). Coded data has no checksum, and decoders paint what they
 * cannot read grey without a word; but in bytes that are not its own an FF is soon followed by what no coded data has.
 */
export function isWhole(jpeg: Uint8Array): boolean {
  const bytes = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  for (let at = 2; bytes[at] === MARKER; ) {
    while (bytes[at] === MARKER) at++;
    const code = bytes[at++] ?? 0;
    if (code === END) return true;
    if (!hasLength(code) || at + 2 > bytes.length) return false;
    at += Math.max(2, bytes.readUInt16BE(at));
    if (code !== SCAN_BEGINS) continue;
    at = bytes.indexOf(MARKER, at);
    while (at >= 0 && isWithinScan(bytes[at + 1])) at = bytes.indexOf(MARKER, at + 2);
    if (at < 0) return false;
  }
  return false;
}
