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
