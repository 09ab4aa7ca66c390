import type { Card } from "pcsc-mini";
import type { PcscLibrary } from "./pcsc-service.js";

/** CM_IOCTL_GET_FEATURE_REQUEST (PC/SC part 10 §2.2). */
const GET_FEATURES = 3_400;
/** PC/SC part 10 §2.3: the feature whose control code asks for the reader's properties. */
const FEATURE_GET_TLV_PROPERTIES = 0x12;
/** PC/SC part 10 §2.6.14. */
const PROPERTY_MAX_APDU_DATA_SIZE = 0x0a;
/** CLA INS P1 P2, Lc, 255 bytes, Le. */
const SHORT_APDU_BYTES = 261;

/** Longest APDU that the reader passes on; undefined where it does not tell. Never rejects. */
export async function maxApduOf(library: PcscLibrary, card: Card): Promise<number | undefined> {
  try {
    const features = await card.control(library.controlCode(GET_FEATURES));
    const code = findInTlv(features, FEATURE_GET_TLV_PROPERTIES);
    if (code !== undefined && code.length === 4) {
      // Control codes are big-endian (§2.2), the integers of properties little-endian (§2.6.14).
      const properties = await card.control(new DataView(code.buffer, code.byteOffset).getUint32(0));
      const size = findInTlv(properties, PROPERTY_MAX_APDU_DATA_SIZE);
      if (size !== undefined && size.length > 0 && size.length <= 4) {
        const bytes = size.reduceRight((sum, byte) => sum * 256 + byte, 0);
        // 0: short APDUs only.
        return Math.max(bytes, SHORT_APDU_BYTES);
      }
    }
  } catch {
    // Readers without features refuse the question.
  }
  return undefined;
}

/** Value of a tag in a list of tag, length and value, one byte each for the first two. */
export function findInTlv(list: Uint8Array, wanted: number): Uint8Array | undefined {
  for (let offset = 0; offset + 2 <= list.length; ) {
    const [tag, length = 0] = list.subarray(offset, offset + 2);
    const value = list.subarray(offset + 2, offset + 2 + length);
    if (tag === wanted && value.length === length) return value;
    offset += 2 + length;
  }
  return undefined;
}
